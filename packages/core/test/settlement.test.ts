// Settling in memory: whatever was thrown, and what the broker does not take. Each outcome on a real broker is in settlement-broker.test.ts.
import { inspect } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { defineJob, fixed, never, postpone } from '../src/index.js';
import type { Plugin } from '../src/index.js';
import { createTestWorker } from '../src/testing/index.js';
import type { TestWorker } from '../src/testing/index.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });

function testWorker(t: ExecutionContext, options: Parameters<typeof createTestWorker>[0] = {}): TestWorker {
  const worker = createTestWorker(options);
  t.teardown(() => worker.stop({ deadline: 0 }));
  return worker;
}

for (const thrown of [undefined, null, 'text', 5, Symbol('s'), Object.create(null) as object, { message: 5 }]) {
  test(`a handler may throw anything: ${inspect(thrown)}`, async (t) => {
    const worker = testWorker(t);
    worker.handle(mail, () => Promise.reject(thrown as Error), { retry: never });
    t.is((await worker.deliver(mail, { to: 'ann' })).kind, 'deadLetter');
    t.is(worker.lastDelivery?.settled, 'acked');
    t.is(typeof worker.sent[0]?.properties.headers?.['x-error-message'], 'string');
  });
}

const unreadable = {
  inspection: { [inspect.custom]: () => JSON.parse('') as never },
  message: Object.defineProperty(new Error('x'), 'message', { get: () => JSON.parse('') as never }),
  stack: Object.defineProperty(new Error('x'), 'stack', { get: () => JSON.parse('') as never }),
};

for (const [what, thrown] of Object.entries(unreadable)) {
  test(`a job is settled also where what was thrown throws when it is read: ${what}`, async (t) => {
    const worker = testWorker(t);
    worker.handle(mail, () => Promise.reject(thrown as Error), { retry: fixed({ maxAttempts: 2, delay: 0 }) });
    t.is((await worker.deliver(mail, { to: 'ann' })).kind, 'retry');
    t.is((await worker.deliver(mail, { to: 'ann' }, { attempt: 2 })).kind, 'deadLetter');
    t.is(worker.lastDelivery?.settled, 'acked');
    t.is(typeof worker.sent.at(-1)?.properties.headers?.['x-error-message'], 'string');
  });
}

test('an error with odd fields still fits into headers', async (t) => {
  const worker = testWorker(t);
  const odd = Object.assign(new Error('x'), { name: 'N'.repeat(9_000), code: 'C'.repeat(9_000), message: { a: 1 }, stack: 7 });
  worker.handle(mail, () => Promise.reject(odd), { retry: never });
  await worker.deliver(mail, { to: 'ann' });
  t.is(worker.lastDelivery?.settled, 'acked');
  const headers = worker.sent[0]?.properties.headers ?? {};
  t.is(headers['x-error-message'], '{ a: 1 }');
  t.true(JSON.stringify(headers).length < 10_000);
});

test('a copy says whose it is: that comes again where the copy gets lost', async (t) => {
  const worker = testWorker(t);
  worker.handle(mail, () => Promise.reject(new Error('failed')), { retry: fixed({ maxAttempts: 2, delay: 0 }) });
  for (const attempt of [1, 2]) {
    await worker.deliver(mail, { to: 'ann' }, { attempt });
    t.is(worker.sent.at(-1)?.copyOf, worker.lastDelivery);
  }
  t.deepEqual(
    worker.sent.map(({ routingKey }) => routingKey),
    ['mails', 'mails.dead'],
  );
});

test('a delivery whose channel has closed is left alone: neither settled nor copied', async (t) => {
  const worker = testWorker(t);
  worker.handle(mail, () => {
    worker.lastDelivery!.lost = true;
    throw new Error('failed');
  });
  await worker.deliver(mail, { to: 'ann' });
  t.is(worker.lastDelivery?.settled, undefined);
  t.deepEqual(worker.sent, []);
});

test('a copy that cannot be published gives the delivery back, after a pause', async (t) => {
  const worker = testWorker(t);
  worker.handle(mail, () => Promise.reject(new Error('failed')));
  worker.connection.onPublish = () => {
    throw new Error('no broker');
  };
  const outcome = worker.deliver(mail, { to: 'ann' });
  await worker.advance(999);
  t.is(worker.lastDelivery?.settled, undefined);
  await worker.advance(1);
  await outcome;
  t.is(worker.lastDelivery?.settled, 'requeued');
});

/** As a plugin that delays looks to core: it owns the option. */
const delays = { name: 'delays', publishOptions: ['delay'] } as unknown as Plugin;

test('a postponed job is a delayed copy of the same attempt where a plugin delays, and goes back at once where none does', async (t) => {
  const delayed = testWorker(t, { plugins: [delays] }).handle(mail, () => postpone(5_000));
  await delayed.deliver(mail, { to: 'ann' }, { attempt: 3 });
  t.is(delayed.lastDelivery?.settled, 'acked');
  t.like(delayed.published[0], { routingKey: 'mails', options: { delay: 5_000 } });
  t.is(delayed.published[0]?.properties.headers?.['x-attempt'], 3);
  t.is(delayed.published[0]?.properties.headers?.['x-error-name'], undefined);
  const immediate = testWorker(t).handle(mail, () => postpone(5_000));
  await immediate.deliver(mail, { to: 'ann' });
  t.is(immediate.lastDelivery?.settled, 'requeued');
  t.deepEqual(immediate.sent, []);
});

test('a retry carries its delay only where a plugin holds it', async (t) => {
  const options = { retry: (): number => 7_000 };
  const delayed = testWorker(t, { plugins: [delays] }).handle(mail, () => Promise.reject(new Error('x')), options);
  await delayed.deliver(mail, { to: 'ann' });
  t.like(delayed.sent[0], { options: { delay: 7_000 } });
  const immediate = testWorker(t).handle(mail, () => Promise.reject(new Error('x')), options);
  await immediate.deliver(mail, { to: 'ann' });
  t.deepEqual(immediate.sent[0]?.options, {});
});
