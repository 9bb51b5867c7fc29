import { HEADERS, PluginRegistry } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import { createStore, STORE, StoreUnavailableError } from '@warren/store';
import test from 'ava';
import idempotency from '../src/index.js';
import { BreakableStore } from './_store.js';
import { benchWith, jobNamed } from './_worker.js';

const away = new StoreUnavailableError({ store: 'memory:', cause: new Error('gone') });

test("A key that was published is the handler's job's, through a delay, retries and a dead letter.", async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  const keys: unknown[] = [];
  worker.handle(
    job,
    ({ idempotencyKey, headers }) => {
      keys.push(idempotencyKey, headers['x-idempotency-key']);
      throw new Error('no');
    },
    { retry: (attempt) => (attempt < 3 ? 1_000 : null) },
  );
  await worker.start();
  await worker.publish(job, { id: 7 }, { idempotencyKey: 'order 7', delay: '1m' });
  await worker.advance('2m');
  t.deepEqual(
    keys,
    Array.from({ length: 6 }, () => 'order 7'),
  );
  const dead = worker.sent.at(-1);
  t.is(dead?.properties.headers?.[HEADERS.queue], job.queue.name);
  t.is(dead?.properties.headers?.['x-idempotency-key'], 'order 7');
});

test('Two messages with one key are one job.', async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => void runs++);
  await worker.start();
  for (let time = 0; time < 2; time++) await worker.publish(job, { id: 7 }, { idempotencyKey: 'order 7' });
  await worker.advance('10s');
  t.is(runs, 1);
});

test('One message on two queues is two jobs.', async (t) => {
  const { worker } = benchWith(t);
  const [one, other] = [jobNamed(), jobNamed()];
  let runs = 0;
  for (const job of [one, other]) worker.handle(job, () => void runs++);
  for (const job of [one, other]) await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.is(runs, 2);
});

test('A handler with idempotency: false runs each time, and the store is not asked.', async (t) => {
  const { worker, store } = benchWith(t);
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => void runs++, { idempotency: false });
  for (let time = 0; time < 2; time++) await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.is(runs, 2);
  t.is(store.calls, 0);
});

test('A worker that only publishes does not ask the store.', async (t) => {
  const { worker, store } = benchWith(t);
  store.broken = away;
  await t.notThrowsAsync(worker.start());
  await worker.publish(jobNamed(), { id: 7 }, { idempotencyKey: 'order 7' });
  t.is(store.calls, 0);
});

test('A store that is away at start fails the start, with its own error.', async (t) => {
  const { worker, store } = benchWith(t);
  worker.handle(jobNamed(), () => {});
  store.broken = away;
  await t.throwsAsync(worker.start(), { code: 'ERR_STORE_UNAVAILABLE' });
});

test("With onStoreError 'run' a store that is away at start is a warning.", async (t) => {
  const { worker, store, log } = benchWith(t, { onStoreError: 'run' });
  const job = jobNamed();
  worker.handle(job, () => {});
  store.broken = away;
  await worker.start();
  t.is(log.matching(/cannot be asked/).length, 1);
  t.is((await worker.deliver(job, { id: 7 })).kind, 'ack');
});

test("With onStoreError 'run' a handler that fails closed still fails the start.", async (t) => {
  const { worker, store } = benchWith(t, { onStoreError: 'run' });
  worker.handle(jobNamed(), () => {}, { idempotency: { onStoreError: 'retry' } });
  store.broken = away;
  await t.throwsAsync(worker.start(), { code: 'ERR_STORE_UNAVAILABLE' });
});

test('A wrong URL of a store fails the start, also with onStoreError: run.', async (t) => {
  const worker = createTestWorker({ plugins: [idempotency({ store: 'mongodb://localhost', onStoreError: 'run' })] });
  t.teardown(() => worker.stop());
  worker.handle(jobNamed(), () => {});
  await t.throwsAsync(worker.start(), { code: 'ERR_STORE_URL' });
});

test('A transaction needs a store that has them.', async (t) => {
  const { worker } = benchWith(t);
  worker.handle(jobNamed(), () => {}, { idempotency: { transaction: true } });
  await t.throwsAsync(worker.start(), { code: 'ERR_STORE_NOT_TRANSACTIONAL' });
});

for (const [what, options] of [
  ['idempotency', { idempotency: 'off' }],
  ['key', { key: 'order' }],
] as const) {
  test(`A wrong handler option ${what} fails the start.`, async (t) => {
    const { worker } = benchWith(t);
    worker.handle(jobNamed(), () => {}, options as never);
    await t.throwsAsync(worker.start(), { code: 'ERR_INVALID_OPTION' });
  });
}

test('A store that was given stays open when the worker stops, and so does the one under STORE.', async (t) => {
  const given = new BreakableStore(createStore('memory:'));
  const shared = new BreakableStore(createStore('memory:'));
  const worker = createTestWorker({ plugins: [idempotency({ store: given })] });
  worker.container.register(STORE, { useValue: shared });
  worker.handle(jobNamed(), () => {});
  await worker.start();
  t.deepEqual([given.calls, shared.calls], [1, 0], 'the one that was given is asked');
  await worker.stop();
  t.deepEqual([given.closed, shared.closed], [false, false]);
});

test('A store that the plugin made for itself is closed when the worker stops.', async (t) => {
  const worker = createTestWorker({ plugins: [idempotency({ store: 'memory:' })] });
  const job = jobNamed();
  worker.handle(job, () => {});
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'ack');
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'ack');
  t.true((await worker.stop()).drained);
});

test('Workers may share a plugin: what one closes is its own.', async (t) => {
  const plugins = [idempotency({ store: 'memory:' })];
  const [one, other] = [createTestWorker({ plugins }), createTestWorker({ plugins })];
  t.teardown(() => other.stop());
  const job = jobNamed();
  for (const worker of [one, other]) await worker.handle(job, () => {}).start();
  await one.stop();
  t.is((await other.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'ack');
});

test('The layer is inside those of delay and tasks, and outside that of ratelimit.', (t) => {
  const others = [{ name: 'ratelimit', after: ['idempotency'] }, { name: 'tasks' }];
  const { plugins } = new PluginRegistry([idempotency(), ...others, delay()]);
  t.deepEqual(
    plugins.map(({ name }) => name),
    ['delay', 'tasks', 'idempotency', 'ratelimit'],
  );
});
