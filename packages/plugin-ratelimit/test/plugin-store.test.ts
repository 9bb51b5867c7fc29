import test from 'ava';
import { createTestWorker } from '@warren/core/testing';
import { createStore } from '@warren/store';
import rateLimit, { LIMITER } from '../src/index.js';
import { collect, jobNamed, settle, workerWith } from './_worker.js';

test('Workers that are given one store share their limit.', async (t) => {
  const store = createStore('memory:');
  const job = jobNamed();
  const outcomes = [];
  for (let index = 0; index < 2; index++) {
    const worker = workerWith(t, { max: 5, per: '1h', store });
    worker.handle(job, () => {});
    for (let number = 0; number < 10; number++) outcomes.push(worker.deliver(job, number));
  }
  const ended = collect(outcomes);
  while (ended.length < 5) await settle();
  await settle();
  t.is(ended.length, 5);
});

test('A handler is limited in the store by its own limit, too.', async (t) => {
  const store = createStore('memory:');
  const worker = workerWith(t, { max: 5, per: '1h', store });
  const [narrow, wide] = [jobNamed('narrow'), jobNamed('wide')];
  worker.handle(narrow, () => {}, { rateLimit: '2/h' });
  worker.handle(wide, () => {});
  const ended = collect(Array.from({ length: 10 }, (_, number) => worker.deliver(narrow, number)));
  while (ended.length < 2) await settle();
  const others = collect(Array.from({ length: 10 }, (_, number) => worker.deliver(wide, number)));
  while (others.length < 3) await settle();
  await settle();
  t.deepEqual([ended.length, others.length], [2, 3]);
  const keys = [];
  for await (const { key } of store.list('limit/')) keys.push(key.replace(/\d+/, 'N'));
  t.deepEqual(keys.toSorted(), ['limit/N/worker', `limit/N/handler:${narrow.queue.name}/narrow`, 'limit/epoch'].toSorted());
});

test('A store that is given stays open when the worker stops.', async (t) => {
  const store = createStore('memory:');
  const given = workerWith(t, { max: 5, store });
  const job = jobNamed();
  given.handle(job, () => {});
  t.is((await given.deliver(job, 1)).kind, 'ack');
  await given.stop({ deadline: 100 });
  t.is(await store.get('x'), undefined);
});

test('A store that was made for the worker is closed with it.', async (t) => {
  const worker = workerWith(t, { max: 5, store: 'memory:' });
  const job = jobNamed();
  worker.handle(job, () => {});
  await worker.deliver(job, 1);
  const limiter = worker.resolve(LIMITER);
  await worker.stop({ deadline: 100 });
  await t.throwsAsync(async () => limiter.take([{ key: 'a', limit: { max: 1, per: 1 } }]), { code: 'ERR_STORE_CLOSED' });
});

test('Workers may share a plugin: what one closes is its own.', async (t) => {
  const plugins = [rateLimit({ max: 5, store: 'memory:' })];
  const [one, other] = [createTestWorker({ plugins }), createTestWorker({ plugins })];
  t.teardown(() => other.stop());
  const job = jobNamed();
  for (const worker of [one, other]) await worker.handle(job, () => {}).start();
  await one.stop();
  t.is((await other.deliver(job, 1)).kind, 'ack');
});

test('A store that is not there, or none at all, is found at start.', async (t) => {
  const job = jobNamed();
  for (const [store, code] of [
    ['redis://127.0.0.1:1', 'ERR_STORE_UNAVAILABLE'],
    ['nowhere', 'ERR_STORE_URL'],
  ] as const) {
    const worker = workerWith(t, { max: 5, store });
    worker.handle(job, () => {});
    await t.throwsAsync(worker.deliver(job, 1), { code });
  }
});
