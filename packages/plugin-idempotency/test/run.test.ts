import type { Job } from '@warren/core';
import { StoreUnavailableError } from '@warren/store';
import test from 'ava';
import { benchWith, jobNamed, nameIn, running, Runs, settle } from './_worker.js';
import type { Bench, Order } from './_worker.js';

const away = new StoreUnavailableError({ store: 'memory:', cause: new Error('gone') });

/** Somebody else takes the key, as if its lease were over. */
async function takeOver({ records }: Bench, name: string): Promise<void> {
  const found = await records.get(name);
  if (found) await records.replaceIfVersion(name, found.version, { value: { ...found.value, owner: 'somebody else' } });
}

test('A handler whose lease is taken over is told, and its completion is refused.', async (t) => {
  const bench = benchWith(t);
  const { worker, records, log } = bench;
  const job = jobNamed();
  const runs = new Runs();
  let seen: Job<Order> | undefined;
  worker.handle(job, (current) => runs.handler((seen = current)));
  const first = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await settle();
  await takeOver(bench, nameIn(job, 'm'));
  t.false(seen?.signal.aborted);
  await worker.advance('10s');
  t.like(seen?.signal.reason, { code: 'ERR_LEASE_LOST' });
  runs.all[0]?.end('too late');
  t.like(await first, { kind: 'requeue' });
  t.is((await records.get(nameIn(job, 'm')))?.value.owner, 'somebody else');
  t.is(log.matching(/^warn .*not marked as done/).length, 1);
});

test('A handler that ends before it could be told has its completion refused all the same.', async (t) => {
  const { job, runs, first, ...bench } = await running(t);
  await takeOver(bench, nameIn(job, 'm'));
  runs.all[0]?.end();
  t.like(await first, { kind: 'requeue' });
  t.is((await bench.records.get(nameIn(job, 'm')))?.value.state, 'running');
});

test('A handler that fails after it lost its lease is not charged, and frees nothing.', async (t) => {
  const { job, runs, first, ...bench } = await running(t);
  await takeOver(bench, nameIn(job, 'm'));
  await bench.worker.advance('10s');
  runs.all[0]?.fail(new Error('aborted'));
  t.like(await first, { kind: 'requeue' });
  t.is((await bench.records.get(nameIn(job, 'm')))?.value.owner, 'somebody else');
});

test('A store that is away for the whole lease loses it: the handler is told.', async (t) => {
  const { worker, store } = benchWith(t, { lease: '30s' });
  const job = jobNamed();
  const runs = new Runs();
  let seen: Job<Order> | undefined;
  worker.handle(job, (current) => runs.handler((seen = current)));
  const first = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await settle();
  store.broken = away;
  await worker.advance('29s');
  t.false(seen?.signal.aborted);
  await worker.advance('2s');
  t.like(seen?.signal.reason, { code: 'ERR_LEASE_LOST' });
  runs.all[0]?.end();
  t.like(await first, { kind: 'requeue' });
});

test('A store that is away when the handler ends is asked again, and the key is marked when it is back.', async (t) => {
  const { worker, store, records, job, runs, first } = await running(t, { lease: '30s' });
  store.broken = away;
  runs.all[0]?.end('paid');
  await worker.advance('20s');
  store.broken = undefined;
  await worker.advance('1s');
  t.like(await first, { kind: 'ack', result: 'paid' });
  t.like((await records.get(nameIn(job, 'm')))?.value, { state: 'done', result: 'paid' });
});

test('A store that stays away when the handler has ended: the job comes again, uncharged.', async (t) => {
  const { worker, store } = benchWith(t, { lease: '30s' });
  const job = jobNamed();
  worker.handle(job, () => {
    store.broken = away;
  });
  const first = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await worker.advance('31s');
  t.like(await first, { kind: 'requeue' });
});

test('A mark whose answer is lost is there: the job comes again and is a duplicate.', async (t) => {
  const { worker, store } = benchWith(t, { lease: '30s' });
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => {
    store.broken = away;
    store.deaf = true;
    return ++runs;
  });
  const first = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await worker.advance('31s');
  t.like(await first, { kind: 'requeue' });
  store.broken = undefined;
  const [again] = await worker.advance('6s');
  t.like(again, { kind: 'ack', result: 1 });
  t.is(runs, 1);
});

test('A key that cannot be freed does not change how the job ends, and is free when its lease is over.', async (t) => {
  const { worker, store, log } = benchWith(t, { lease: '30s' });
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => {
    store.broken = runs++ === 0 ? away : undefined;
    if (store.broken) throw new Error('failed');
  });
  t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'retry', error: { message: 'failed' } });
  t.is(log.matching(/could not be freed/).length, 1);
  store.broken = undefined;
  await worker.advance('29s');
  t.is(runs, 1);
  await worker.advance('10s');
  t.is(runs, 2);
});

for (const [what, result, stored] of [
  ['that is JSON', { paid: ['yes', 1] }, { result: { paid: ['yes', 1] } }],
  ['with dates and undefined fields', { at: new Date(0), not: undefined }, { result: { at: '1970-01-01T00:00:00.000Z' } }],
  ['that is too large', 'x'.repeat(99), { omitted: 'too large' }],
  ['that is no JSON', 1n, { omitted: 'not JSON' }],
  ['that JSON leaves out', () => {}, { omitted: 'not JSON' }],
] as const) {
  test(`A result ${what} is stored as ${JSON.stringify(stored)}.`, async (t) => {
    const { worker, records } = benchWith(t, { maxResultBytes: 100 });
    const job = jobNamed();
    worker.handle(job, () => result);
    t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'ack', result });
    const { state, owner, fingerprint, ...rest } = (await records.get(nameIn(job, 'm')))?.value ?? {};
    t.is(state, 'done');
    t.truthy(owner);
    t.truthy(fingerprint);
    t.deepEqual<unknown, unknown>(rest, stored);
    const duplicate = await worker.deliver(job, { id: 7 }, { messageId: 'm' });
    t.deepEqual<unknown, unknown>({ ...duplicate }, { kind: 'ack', ...('result' in stored && { result: stored.result }) });
  });
}
