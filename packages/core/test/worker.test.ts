// A worker's life, in memory. What the broker sees of it is in worker-broker.test.ts.
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { CLOCK, CODECS, CodecRegistry, createWorker, defineJob, LOGGER, silentLogger } from '../src/index.js';
import type { HandlerOptions, Job, Plugin, WorkerOptions } from '../src/index.js';
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

test('hooks run in the plugins’ order, backward at the stop, around connecting and consuming', async (t) => {
  const calls: string[] = [];
  const spy = (name: string, more: Partial<Plugin> = {}): Plugin => ({
    name,
    ...more,
    register: () => void calls.push(`${name} register`),
    topology: () => void calls.push(`${name} topology`),
    consume: (next) => {
      calls.push(`${name} consume`);
      return next;
    },
    publish: (next) => {
      calls.push(`${name} publish`);
      return next;
    },
    start: () => void calls.push(`${name} start`),
    stop: () => void calls.push(`${name} stop`),
  });
  const worker = createTestWorker({ plugins: [spy('b', { after: ['a'] }), spy('a')] });
  worker.connection.connect = async () => void calls.push('connect');
  worker.connection.declare = async () => void calls.push('declare');
  worker.connection.consume = async () => {
    calls.push('consume');
    return { cancel: async () => void calls.push('cancel') };
  };
  worker.connection.close = async () => void calls.push('close');
  worker.handle(mail, () => {});
  await worker.start();
  await worker.stop();
  t.deepEqual(calls, [
    'a register',
    'b register',
    'a topology',
    'b topology',
    // Folding begins with the innermost layer.
    'b publish',
    'a publish',
    'b consume',
    'a consume',
    'connect',
    'declare',
    'a start',
    'b start',
    'consume',
    'cancel',
    'b stop',
    'a stop',
    'close',
  ]);
});

for (const hook of ['register', 'topology', 'consume', 'publish', 'start'] as const) {
  test(`a plugin that throws in ${hook} fails the start, and nothing stays open`, async (t) => {
    const boom = new Error(`boom in ${hook}`);
    const plugin: Plugin = {
      name: 'bad',
      [hook]: () => {
        throw boom;
      },
    };
    const worker = createTestWorker({ plugins: [plugin] }).handle(mail, () => {});
    let open = 0;
    worker.connection.connect = async () => void open++;
    worker.connection.close = async () => void open--;
    t.is(await t.throwsAsync(worker.start()), boom);
    t.is(worker.state, 'stopped');
    t.true(open <= 0, 'connected only where it was closed again');
    t.deepEqual(worker.connection.consumers, []);
  });
}

test('a plugin that throws in stop does not keep the worker from stopping', async (t) => {
  const errors: object[] = [];
  const logger = { ...silentLogger, error: (facts: object) => void errors.push(facts) };
  const bad: Plugin = { name: 'bad', stop: () => Promise.reject(new Error('boom')) };
  const worker = createTestWorker({ plugins: [bad], logger });
  await worker.start();
  t.deepEqual(await worker.stop(), { drained: true, abandoned: 0 });
  t.is(errors.length, 1);
});

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

const wrongOptions: ReadonlyArray<readonly [options: unknown, name: string]> = [
  [{ url: 'localhost' }, 'url'],
  [{ url: 'http://localhost' }, 'url'],
  [{ url: { password: 's3cret' } }, 'url'],
  [{ url: ['amqp://ok', 'user:s3cret@host'] }, 'url'],
  [{ prefetch: -1 }, 'prefetch'],
  [{ prefetch: 70_000 }, 'prefetch'],
  [{ concurrency: 0 }, 'concurrency'],
  [{ concurrency: 1.5 }, 'concurrency'],
  [{ maxPayloadBytes: '1 MB' }, 'maxPayloadBytes'],
  [{ publishTimeout: 0 }, 'publishTimeout'],
  [{ brokerTimeout: Infinity }, 'brokerTimeout'],
  [{ startTimeout: NaN }, 'startTimeout'],
  [{ heartbeat: -5 }, 'heartbeat'],
  [{ retry: 5 }, 'retry'],
  [{ publishBuffer: { messages: 0 } }, 'publishBuffer.messages'],
  [{ publishBuffer: { bytes: -1 } }, 'publishBuffer.bytes'],
  [{ publishBuffer: { whenFull: 'drop' } }, 'publishBuffer.whenFull'],
];

for (const [options, name] of wrongOptions) {
  test(`the option ${JSON.stringify(options).replace(/s3cret/g, '***')} is refused, without its secrets`, (t) => {
    const error = t.throws(() => createWorker(options as WorkerOptions), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith(name), error.message);
    t.false(error.message.includes('s3cret'), error.message);
  });
}

for (const options of [
  { concurrency: 0 },
  { prefetch: -1 },
  { prefetch: 1.5 },
  { timeout: 0 },
  { timeout: '1s' },
  { retry: 'fixed' },
]) {
  test(`the handler option ${JSON.stringify(options)} is refused`, (t) => {
    t.throws(() => createTestWorker().handle(mail, () => {}, options as unknown as HandlerOptions), {
      code: 'ERR_INVALID_OPTION',
    });
  });
}

test('a job has one handler on its queue', (t) => {
  const worker = createTestWorker().handle(mail, () => {});
  t.throws(() => worker.handle(mail, () => {}), { code: 'ERR_HANDLER_DUPLICATE' });
  t.notThrows(() => worker.handle(defineJob('mail', { queue: 'elsewhere' }), () => {}));
});
