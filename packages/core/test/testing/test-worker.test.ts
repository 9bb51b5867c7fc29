import test from 'ava';
import * as v from 'valibot';
import { ack, defineJob, exponential, requeue } from '../../src/index.js';
import type { Plugin } from '../../src/index.js';
import { createTestWorker } from '../../src/testing/index.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });
const MINUTE = 60_000;

/** As much of a plugin that delays as the test kit needs: it owns the option. */
const delays = { name: 'delays', publishOptions: ['delay', 'at'] } as unknown as Plugin;

test('deliver starts the worker, runs the handler through its chain, and returns the outcome', async (t) => {
  const calls: unknown[] = [];
  const layer: Plugin = {
    name: 'layer',
    consume: (next) => (job) => {
      calls.push('layer');
      return next(job);
    },
  };
  const worker = createTestWorker({ plugins: [layer] });
  worker.handle(mail, (job) => void calls.push(job.payload));
  t.is(await worker.deliver(mail, { to: 'ann' }), ack);
  t.deepEqual(calls, ['layer', { to: 'ann' }]);
  t.is(worker.state, 'running');
  t.is(worker.lastDelivery?.settled, 'acked');
});

test('deliver says how the message differs from a first one', async (t) => {
  const worker = createTestWorker();
  const seen: unknown[] = [];
  worker.handle(mail, ({ attempt, messageId, headers, redelivered, exchange, routingKey }) => {
    seen.push({ attempt, messageId, headers, redelivered, exchange, routingKey });
    return requeue;
  });
  const options = {
    attempt: 3,
    messageId: 'm-1',
    headers: { tenant: 'acme' },
    redelivered: true,
    exchange: 'e',
    routingKey: 'k',
  };
  t.is(await worker.deliver(mail, { to: 'ann' }, options), requeue);
  t.deepEqual(seen, [{ ...options }]);
  t.is(worker.lastDelivery?.settled, 'requeued');
});

test('a payload that the schema refuses ends as in life: dead-lettered', async (t) => {
  const checked = defineJob('checked', { queue: 'q', schema: v.object({ to: v.string() }) });
  const worker = createTestWorker().handle(checked, () => t.fail());
  t.is((await worker.deliver(checked, { to: 5 } as never)).kind, 'deadLetter');
});

test('published is what came to the chain, sent is what left it', async (t) => {
  const stamp: Plugin = {
    name: 'stamp',
    publish: (next) => (message) => next({ ...message, routingKey: `${message.routingKey}.stamped` }),
  };
  const worker = createTestWorker({ plugins: [stamp] });
  await worker.start();
  await worker.publish(mail, { to: 'ann' });
  t.deepEqual(
    [...worker.published, ...worker.sent].map(({ routingKey }) => routingKey),
    ['mails', 'mails.stamped'],
  );
});

test('advance delivers what was published, and the retries that come due, on time', async (t) => {
  const worker = createTestWorker({ plugins: [delays] });
  const attempts: Array<[attempt: number, seconds: number]> = [];
  const start = worker.clock.now();
  worker.handle(
    mail,
    ({ attempt }) => {
      attempts.push([attempt, (worker.clock.now() - start) / 1_000]);
      if (attempt < 3) throw new Error('not yet');
    },
    { retry: exponential({ initial: 10_000, jitter: 'none' }) },
  );
  await worker.start();
  await worker.publish(mail, { to: 'ann' });
  t.deepEqual(
    (await worker.advance(0)).map(({ kind }) => kind),
    ['retry'],
  );
  t.deepEqual(await worker.advance('9s'), []);
  t.deepEqual(
    (await worker.advance('10m')).map(({ kind }) => kind),
    ['retry', 'ack'],
  );
  t.deepEqual(attempts, [
    [1, 0],
    [2, 10],
    [3, 30],
  ]);
  t.is(worker.clock.now() - start, 10 * MINUTE + 9_000);
});

test('advance delivers delayed jobs at their time, in the order in which they come due', async (t) => {
  const worker = createTestWorker({ plugins: [delays] });
  const seen: string[] = [];
  worker.handle(mail, ({ payload: { to } }) => void seen.push(to));
  await worker.start();
  const at = (to: string, options: object): Promise<void> => worker.publish(mail, { to }, options);
  await at('late', { delay: 2 * MINUTE });
  await at('early', { delay: '30s' });
  await at('dated', { at: new Date(worker.clock.now() + MINUTE) });
  await worker.advance('59s');
  t.deepEqual(seen, ['early']);
  await worker.advance('61s');
  t.deepEqual(seen, ['early', 'dated', 'late']);
});

test('a job published to an exchange is delivered to the queue that its definition binds', async (t) => {
  const event = defineJob<number>('event', { queue: 'events', exchange: 'bus' });
  const worker = createTestWorker();
  const seen: Array<[number, string]> = [];
  worker.handle(event, ({ attempt, exchange }) => {
    seen.push([attempt, exchange]);
    if (attempt === 1) throw new Error('not yet');
  });
  await worker.start();
  await worker.publish(event, 1);
  const outcomes = await worker.advance(0);
  t.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['retry', 'ack'],
  );
  t.deepEqual(seen, [
    [1, 'bus'],
    [2, 'bus'],
  ]);
});

test('the connected event and the capabilities are those of a broker', async (t) => {
  const worker = createTestWorker();
  const versions: string[] = [];
  worker.on('connected', ({ version }) => void versions.push(version));
  await worker.start();
  await worker.start();
  t.deepEqual(versions, [worker.connection.capabilities.version]);
});
