import { retry, UnrecoverableError } from '@warren/core';
import type { Job } from '@warren/core';
import { StoreUnavailableError } from '@warren/store';
import test from 'ava';
import { benchWith, jobNamed, nameIn, running, Runs } from './_worker.js';
import type { Order } from './_worker.js';

const away = new StoreUnavailableError({ store: 'memory:', cause: new Error('gone') });

test('A job runs, and its duplicate is acknowledged with the stored result, without running.', async (t) => {
  const { worker, log } = benchWith(t);
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, ({ payload }) => ({ run: ++runs, order: payload.id }));
  const first = await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  const second = await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.like(first, { kind: 'ack', result: { run: 1, order: 7 } });
  t.like(second, { kind: 'ack', result: { run: 1, order: 7 } });
  t.is(worker.lastDelivery?.settled, 'acked');
  t.is(runs, 1);
  t.is(log.matching(/^debug .*duplicate/).length, 1);
});

test('A duplicate of a job without a result is acknowledged without one.', async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  worker.handle(job, () => {});
  await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.deepEqual({ ...(await worker.deliver(job, { id: 7 }, { messageId: 'm' })) }, { kind: 'ack' });
});

test('A key is remembered for its ttl, and then its job runs again.', async (t) => {
  const { worker } = benchWith(t, { ttl: '10m' });
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => void runs++);
  await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await worker.advance('599s');
  await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.is(runs, 1);
  await worker.advance('2s');
  await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.is(runs, 2);
});

test('A duplicate of a running job waits outside, uncharged, looks again at growing intervals, and ends when the first has.', async (t) => {
  const { worker, job, runs, first } = await running(t);
  const second = await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.deepEqual({ ...second }, { kind: 'requeue', delay: 250 });
  t.is(worker.published.at(-1)?.properties.headers?.['x-attempt'], undefined);
  const looks = await worker.advance('9s');
  t.deepEqual(
    looks.map((outcome) => ({ ...outcome })),
    [250, 500, 1_000, 2_000, 4_000, 5_000].slice(0, looks.length).map((delay) => ({ kind: 'requeue', delay })),
  );
  t.true(looks.length >= 5);
  runs.all[0]?.end('paid');
  t.like(await first, { kind: 'ack', result: 'paid' });
  const [third] = await worker.advance('5s');
  t.like(third, { kind: 'ack', result: 'paid' });
  t.is(runs.all.length, 1);
});

test('A lease is renewed for as long as its handler runs.', async (t) => {
  const { worker, records } = benchWith(t, { lease: '30s' });
  const job = jobNamed();
  const runs = new Runs();
  worker.handle(job, runs.handler);
  const first = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  for (let minute = 0; minute < 10; minute++) {
    await worker.advance('1m');
    const record = await records.get(nameIn(job, 'm'));
    t.is(record?.value.state, 'running');
    t.true((record?.age ?? Infinity) <= 10_000);
  }
  runs.all[0]?.end();
  t.is((await first).kind, 'ack');
});

test('The same key with another body is a conflict, while the first runs and after it.', async (t) => {
  const { worker, job, runs, first } = await running(t);
  const conflict = { kind: 'deadLetter', error: { code: 'ERR_IDEMPOTENCY_CONFLICT' } } as const;
  t.like(await worker.deliver(job, { id: 8 }, { messageId: 'm' }), conflict);
  runs.all[0]?.end();
  await first;
  t.like(await worker.deliver(job, { id: 8 }, { messageId: 'm' }), conflict);
  const [dead] = worker.sent.slice(-1);
  t.is(dead?.properties.headers?.['x-error-code'], 'ERR_IDEMPOTENCY_CONFLICT');
  t.is(runs.all.length, 1);
});

test('The same bytes of another content type are another message.', async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  worker.handle(job, () => {});
  await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  const other = await worker.deliver(job, { id: 7 }, { messageId: 'm', contentType: 'application/vnd.order+json' });
  t.is(other.kind, 'deadLetter');
});

const failures: Record<string, () => unknown> = {
  'that throws': () => Promise.reject(new Error('no')),
  'that asks for a retry': () => retry(),
  'that gives up': () => Promise.reject(new UnrecoverableError('never')),
};

for (const [what, fail] of Object.entries(failures)) {
  test(`A handler ${what} frees its key.`, async (t) => {
    const { worker, records } = benchWith(t);
    const job = jobNamed();
    let failing = true;
    worker.handle(job, () => (failing ? fail() : 'done'));
    t.not((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'ack');
    t.is(await records.get(nameIn(job, 'm')), undefined);
    failing = false;
    t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'ack', result: 'done' });
  });
}

test('A retry runs as the next attempt, with a greater fence.', async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  const fences: unknown[] = [];
  const attempts: number[] = [];
  worker.handle(job, ({ fence, attempt }) => {
    fences.push(fence);
    attempts.push(attempt);
    if (attempt < 3) throw new Error('not yet');
  });
  await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await worker.advance('1h');
  t.deepEqual(attempts, [1, 2, 3]);
  t.deepEqual(
    fences,
    fences.toSorted((a, b) => Number(a) - Number(b)),
  );
  t.is(new Set(fences).size, 3);
});

test('A message with nothing that tells it from others runs unguarded.', async (t) => {
  const { worker, store } = benchWith(t);
  const job = jobNamed();
  const seen: unknown[] = [];
  worker.handle(job, ({ fence, idempotencyKey }) => void seen.push([fence, idempotencyKey]));
  await worker.start();
  const before = store.calls;
  for (let time = 0; time < 2; time++) t.is((await worker.deliver(job, { id: 7 }, { messageId: undefined })).kind, 'ack');
  t.deepEqual(seen, [
    [undefined, undefined],
    [undefined, undefined],
  ]);
  t.is(store.calls, before);
});

test("A handler's own key counts, and the job knows it.", async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  const keys: unknown[] = [];
  worker.handle(job, ({ idempotencyKey }) => void keys.push(idempotencyKey), {
    key: ({ payload }: Job<Order>) => `order ${payload.id}`,
  });
  for (const id of [1, 2, 1, 2]) t.is((await worker.deliver(job, { id })).kind, 'ack');
  t.deepEqual(keys, ['order 1', 'order 2']);
});

test('A key function that throws fails the job, by its retry policy.', async (t) => {
  const { worker } = benchWith(t);
  const job = jobNamed();
  worker.handle(job, () => {}, {
    key: () => {
      throw new Error('no key');
    },
  });
  t.like(await worker.deliver(job, { id: 7 }), { kind: 'retry', error: { message: 'no key' } });
});

test('The store is away when a job comes: the job waits outside, uncharged, and the log says so once.', async (t) => {
  const { worker, store, log } = benchWith(t);
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => void runs++);
  await worker.start();
  store.broken = away;
  const outcomes = await Promise.all([1, 2, 3].map((id) => worker.deliver(job, { id })));
  for (const outcome of outcomes) {
    t.is(outcome.kind, 'requeue');
    const { delay = 0 } = outcome as { delay?: number };
    t.true(delay >= 2_000 && delay <= 5_000);
  }
  t.is(log.matching(/^error .*cannot be asked/).length, 1);
  store.broken = undefined;
  const later = await worker.advance('5s');
  t.deepEqual(
    later.map(({ kind }) => kind),
    ['ack', 'ack', 'ack'],
  );
  t.is(runs, 3);
  t.is(log.matching(/answers again/).length, 1);
});

test("With onStoreError 'run' a job runs without its key while the store is away.", async (t) => {
  const { worker, store, log } = benchWith(t, { onStoreError: 'run' });
  const job = jobNamed();
  const fences: unknown[] = [];
  worker.handle(job, ({ fence }) => void fences.push(fence));
  await worker.start();
  store.broken = away;
  for (let time = 0; time < 2; time++) t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'ack');
  t.deepEqual(fences, [undefined, undefined]);
  t.is(log.matching(/cannot be asked/).length, 1);
});

test('A record that is not ours fails the job: it neither runs nor waits for ever.', async (t) => {
  const { worker, store } = benchWith(t);
  const job = jobNamed();
  worker.handle(job, () => t.fail());
  await worker.start();
  await store.putIfAbsent(`idempotency/${nameIn(job, 'm')}`, '"something else"');
  t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), {
    kind: 'retry',
    error: { code: 'ERR_STORE_RECORD_CORRUPT' },
  });
});
