// A worker's life, in memory. What the broker sees of it is in worker-broker.test.ts.
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { CLOCK, CODECS, CodecRegistry, createWorker, defineJob, LOGGER, silentLogger } from '../src/index.js';
import type { Job, Plugin, Worker } from '../src/index.js';
import { createContainer } from '../src/container.js';
import { createTestWorker, VirtualClock } from '../src/testing/index.js';
import type { MemoryDelivery } from '../src/testing/index.js';
import { Signal } from './_amqp.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });

test('a worker starts once, takes handlers before that, and publishes until it has stopped', async (t) => {
  const state = { code: 'ERR_WORKER_STATE' };
  const worker = createTestWorker().handle(mail, () => {});
  t.is(worker.state, 'new');
  await t.throwsAsync(worker.publish(mail, { to: 'ann' }), state);
  await t.throwsAsync(worker.send({ exchange: '', routingKey: 'q', content: 'x' }), state);
  await worker.start();
  t.is(worker.state, 'running');
  t.throws(() => worker.handle(defineJob('late', { queue: 'q' }), () => {}), state);
  await worker.publish(mail, { to: 'ann' });
  t.deepEqual(await worker.stop(), { drained: true, abandoned: 0 });
  t.is(worker.state, 'stopped');
  await t.throwsAsync(worker.publish(mail, { to: 'ann' }), state);
});

test('a second start is refused, while it starts, runs or after it has stopped', async (t) => {
  const state = { code: 'ERR_WORKER_STATE' };
  const parent = createTestWorker();
  const worker = createWorker({ container: parent.container });
  const started = worker.start();
  await t.throwsAsync(worker.start(), state);
  await started;
  await t.throwsAsync(worker.start(), state);
  await worker.stop();
  await t.throwsAsync(worker.start(), state);
});

test('stop can be called twice, and on a worker that never started', async (t) => {
  const worker = createTestWorker();
  const [first, second] = [worker.stop(), worker.stop()];
  t.is(first, second);
  t.deepEqual(await first, { drained: true, abandoned: 0 });
  await t.throwsAsync(worker.start(), { code: 'ERR_WORKER_STATE' });
});

test('a stop during the start ends it: start rejects, and nothing consumes', async (t) => {
  const worker = createTestWorker().handle(mail, () => {});
  const connected = new Signal();
  worker.connection.connect = () => connected.came;
  const started = worker.start();
  const stopped = worker.stop();
  connected.give();
  await t.throwsAsync(started, { code: 'ERR_WORKER_STATE' });
  await stopped;
  t.is(worker.state, 'stopped');
  t.deepEqual(worker.connection.consumers, []);
});

test('await using stops the worker', async (t) => {
  const worker = createTestWorker();
  {
    await using scoped = worker;
    await scoped.start();
  }
  t.is(worker.state, 'stopped');
});

test('stop lets running jobs finish, gives back what comes late, and is told of both', async (t) => {
  const worker = createTestWorker();
  const finish = new Signal();
  worker.handle(mail, () => finish.came);
  const running = worker.deliver(mail, { to: 'ann' });
  await turn();
  const stopped = worker.stop();
  const late = await worker.deliver(mail, { to: 'bob' });
  t.is(late.kind, 'requeue');
  t.is(worker.lastDelivery?.settled, 'requeued');
  finish.give();
  t.is((await running).kind, 'ack');
  t.deepEqual(await stopped, { drained: true, abandoned: 0 });
});

for (const reaction of ['throws', 'ignores the signal']) {
  test(`at the stop deadline a job is aborted and given back, uncharged and not copied, also where it then ${reaction}`, async (t) => {
    const worker = createTestWorker();
    const begun = new Signal<Job>();
    worker.handle(mail, async (job) => {
      begun.give(job);
      const aborted = new Promise<void>((resolve) => job.signal.addEventListener('abort', () => resolve()));
      await aborted;
      if (reaction === 'throws') throw job.signal.reason;
    });
    const running = worker.deliver(mail, { to: 'ann' });
    const job = await begun.came;
    const stopped = worker.stop({ deadline: 10_000 });
    await worker.clock.advance(8_999);
    t.false(job.signal.aborted);
    await worker.clock.advance(1_001);
    t.deepEqual(await stopped, { drained: false, abandoned: 1 });
    t.is((job.signal.reason as { code: string }).code, 'ERR_JOB_ABORTED');
    await running;
    t.is((job.delivery as MemoryDelivery).settled, 'requeued');
    t.deepEqual(worker.sent, []);
  });
}

test('without a plugin that delays, start warns once that retries are immediate', async (t) => {
  for (const [plugins, warnings] of [
    [[], 1],
    [[{ name: 'holds', publishOptions: ['delay'] } as unknown as Plugin], 0],
  ] as const) {
    const warned: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warned.push(message) };
    const worker = createTestWorker({ plugins, logger });
    worker.handle(mail, () => {}).handle(defineJob('other', { queue: 'mails' }), () => {});
    await worker.start();
    t.is(warned.filter((message) => message.includes('retries are immediate')).length, warnings);
  }
});

test('the user’s services replace ours, the worker’s own stay its own', async (t) => {
  const container = createContainer();
  const [clock, codecs] = [new VirtualClock(), new CodecRegistry()];
  container.register(CLOCK, { useValue: clock });
  container.register(CODECS, { useValue: codecs });
  container.register(LOGGER, { useValue: silentLogger });
  const [one, other] = [createWorker({ container }), createWorker({ container })];
  t.is(one.resolve(CLOCK), clock);
  t.is(one.resolve(CODECS), codecs);
  t.is(one.resolve(LOGGER), silentLogger);
  t.not(one.container, other.container);
});

test('a job has one handler on its queue', (t) => {
  const worker = createTestWorker().handle(mail, () => {});
  t.throws(() => worker.handle(mail, () => {}), { code: 'ERR_HANDLER_DUPLICATE' });
  t.notThrows(() => worker.handle(defineJob('mail', { queue: 'elsewhere' }), () => {}));
});

for (const given of ['mail', undefined, {}, () => {}]) {
  test(`${typeof given} is no job to handle or to publish`, async (t) => {
    const worker = createTestWorker();
    const refused = { code: 'ERR_INVALID_OPTION', message: /: expected a job, made by defineJob, got / };
    t.throws(() => worker.handle(given as never, () => {}), refused);
    await worker.start();
    await t.throwsAsync(worker.publish(given as never, {}), refused);
    await worker.stop();
  });
}

test('a plugin can add methods to the worker, from the moment that it is made', (t) => {
  const plugin: Plugin = { name: 'greets', extend: (worker) => void Object.assign(worker, { greet: () => worker.state }) };
  const worker = createWorker({ plugins: [plugin] }) as Worker & { greet(): string };
  t.is(worker.greet(), 'new');
});
