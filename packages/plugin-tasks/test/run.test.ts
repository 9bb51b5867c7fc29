import { setImmediate as turn } from 'node:timers/promises';
import { ack, defineJob, fixed, never, postpone, retry, UnrecoverableError } from '@warren/core';
import type { Job } from '@warren/core';
import type { TestWorker } from '@warren/core/testing';
import test from 'ava';
import { defineTask } from '../src/index.js';
import { Gate, taskWorker } from './_worker.js';

const resize = defineTask<{ file: string }>('image.resize', { queue: 'images', retry: fixed({ maxAttempts: 3, delay: 5_000 }) });
const photo = { file: 'a.png' };

test('a task that succeeds leaves a record with its times, its worker and its result', async (t) => {
  const { worker, record } = taskWorker(t);
  worker.handle(resize, ({ payload }) => ({ small: payload.file }));
  await worker.start();
  const { id } = await worker.enqueue(resize, photo);
  t.like(await record(id), { id, task: 'image.resize', queue: 'images', state: 'queued', attempts: 0 });
  const [outcome] = await worker.advance(0);
  t.is(outcome?.kind, 'ack');
  const found = await record(id);
  t.like(found, { state: 'succeeded', attempts: 1, progress: 1, result: { small: 'a.png' } });
  t.regex(found?.worker ?? '', /:\d+$/);
  t.is(found?.finishedAt, worker.clock.now());
  t.is(found?.run, undefined);
});

test('a failed attempt is recorded with its error and when the next is due; the last one as dead', async (t) => {
  const { worker, record } = taskWorker(t);
  worker.handle(resize, ({ attempt }) => {
    throw Object.assign(new RangeError(`no ${attempt}`), { code: 'ERR_SIZE' });
  });
  await worker.start();
  const { id } = await worker.enqueue(resize, photo);
  await worker.advance(0);
  t.like(await record(id), {
    state: 'retrying',
    attempts: 1,
    dueAt: worker.clock.now() + 5_000,
    error: { name: 'RangeError', code: 'ERR_SIZE', message: 'no 1' },
  });
  const outcomes = await worker.advance('20s');
  t.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['retry', 'deadLetter'],
  );
  t.like(await record(id), { state: 'dead', attempts: 3, error: { message: 'no 3' } });
});

test('without a dead-letter queue there is nothing to replay: the task has failed', async (t) => {
  const { worker, record } = taskWorker(t);
  const brief = defineTask('brief', { queue: { name: 'brief', deadLetter: false } });
  worker.handle(brief, () => {
    throw new UnrecoverableError('never');
  });
  await worker.start();
  const { id } = await worker.enqueue(brief, 1);
  await worker.advance(0);
  t.like(await record(id), { state: 'failed', error: { name: 'UnrecoverableError' } });
});

test('a task that is running elsewhere is looked at again later, uncharged, and runs when that lease is over', async (t) => {
  const { worker, record } = taskWorker(t);
  const gate = new Gate();
  let runs = 0;
  worker.handle(resize, () => (++runs === 1 ? gate.opened : 'second'));
  const options = { messageId: 'one' };
  void worker.deliver(resize, photo, options);
  await turn();
  t.like(await record('one'), { state: 'running' });
  const again = await worker.deliver(resize, photo, { ...options, redelivered: true });
  t.deepEqual(again, postpone(5_000));
  t.is(runs, 1);
  // Renewed as long as its handler runs.
  await worker.clock.advance(120_000);
  t.is((await worker.deliver(resize, photo, options)).kind, 'requeue');
  gate.open();
  await turn();
  t.is((await worker.deliver(resize, photo, options)).kind, 'ack');
  t.is(runs, 1);
});

test('a worker that died in the middle of a task leaves it to the next when its lease is over', async (t) => {
  const { worker, store, record } = taskWorker(t);
  worker.handle(resize, () => 'done');
  await worker.start();
  const left = {
    id: 'one',
    task: 'image.resize',
    queue: 'images',
    state: 'running',
    attempts: 1,
    createdAt: 0,
    run: 'dead',
    lease: 30_000,
  };
  await store.putIfAbsent('task/one', JSON.stringify(left));
  t.deepEqual(await worker.deliver(resize, photo, { messageId: 'one' }), postpone(5_000));
  await worker.clock.advance(29_999);
  t.deepEqual(await worker.deliver(resize, photo, { messageId: 'one' }), postpone(1));
  await worker.clock.advance(1);
  t.is((await worker.deliver(resize, photo, { messageId: 'one' })).kind, 'ack');
  t.like(await record('one'), { state: 'succeeded', result: 'done' });
});

test('a task that ten workers in a row have died with is dead, and begins anew when it is replayed', async (t) => {
  const { worker, store, record } = taskWorker(t);
  const gate = new Gate();
  t.teardown(gate.open);
  let runs = 0;
  worker.handle(resize, () => {
    runs++;
    return gate.opened;
  });
  await worker.start();
  /** What is left of a worker that has died: its record, which nobody renews. */
  const die = async (): Promise<void> => {
    const { value, version } = (await store.get('task/one')) ?? { value: '', version: 0 };
    const left = { ...(JSON.parse(value) as object), run: 'dead' };
    await store.replaceIfVersion('task/one', version, { value: JSON.stringify(left) });
    await worker.clock.advance(30_000);
  };
  for (let death = 1; death <= 10; death++) {
    void worker.deliver(resize, photo, { messageId: 'one' });
    await turn();
    t.is(runs, death);
    await die();
  }
  t.like(await worker.deliver(resize, photo, { messageId: 'one' }), { kind: 'deadLetter', error: { code: 'ERR_TASK_LOST' } });
  t.like(await record('one'), { state: 'dead', error: { code: 'ERR_TASK_LOST' }, lostRuns: undefined });
  void worker.deliver(resize, photo, { messageId: 'one' });
  await turn();
  t.is(runs, 11);
});

test('a second message of a task that has succeeded is acknowledged with the result, and does not run', async (t) => {
  const { worker } = taskWorker(t);
  let runs = 0;
  worker.handle(resize, () => ++runs);
  const first = await worker.deliver(resize, photo, { messageId: 'one' });
  t.like(first, { kind: 'ack', result: 1 });
  t.like(await worker.deliver(resize, photo, { messageId: 'one' }), { kind: 'ack', result: 1 });
  t.is(runs, 1);
});

test('the same message in another queue is another task', async (t) => {
  const { worker } = taskWorker(t);
  const copy = defineTask<{ file: string }>('image.resize', { queue: 'copies' });
  const ran: string[] = [];
  const run = ({ queue }: Job): void => void ran.push(queue);
  worker.handle(resize, run).handle(copy, run);
  for (const task of [resize, copy, resize, copy]) await worker.deliver(task, photo, { messageId: 'one' });
  t.deepEqual(ran, ['images', 'copies']);
});

test('a worker whose lease is taken is told by its signal, and how its handler ends counts for nothing', async (t) => {
  const { worker, store, record } = taskWorker(t);
  const gate = new Gate();
  const jobs: Job[] = [];
  worker.handle(resize, async (job) => {
    jobs.push(job);
    await gate.opened;
    return 'late';
  });
  const running = worker.deliver(resize, photo, { messageId: 'one' });
  await turn();
  const entry = await store.get('task/one');
  const taken = { ...(JSON.parse(entry?.value ?? '') as object), run: 'another', worker: 'other:1' };
  await store.replaceIfVersion('task/one', entry?.version ?? 0, { value: JSON.stringify(taken) });
  await worker.clock.advance(10_000);
  t.like(jobs[0]?.signal.reason, { code: 'ERR_LEASE_LOST' });
  gate.open();
  t.is((await running).kind, 'requeue');
  t.like(await record('one'), { state: 'running', worker: 'other:1' });
});

test('a store that does not answer gives the task back, uncharged and unrun', async (t) => {
  const { worker, store, warnings } = taskWorker(t);
  let runs = 0;
  worker.handle(resize, () => ++runs);
  await worker.start();
  await store.close();
  t.deepEqual(await worker.deliver(resize, photo, { messageId: 'one' }), postpone(5_000));
  t.is(runs, 0);
  t.regex(warnings.join(), /comes again/);
});

test('requeue and postpone put the record back where it was', async (t) => {
  const { worker, record } = taskWorker(t);
  const ends = [postpone(2_000), retry({ delay: 1_000 }), postpone(500), ack];
  worker.handle(resize, () => ends.shift());
  await worker.start();
  const { id } = await worker.enqueue(resize, photo);
  const states: unknown[] = [];
  for (const ms of [0, 2_000, 1_000, 500]) {
    await worker.advance(ms);
    const found = await record(id);
    states.push([found?.state, found?.attempts]);
  }
  t.deepEqual(states, [
    ['queued', 1],
    ['retrying', 1],
    ['retrying', 2],
    ['succeeded', 2],
  ]);
});

test('an expired task is dead-lettered unrun, on its first attempt and on later ones', async (t) => {
  const { worker, record } = taskWorker(t);
  let runs = 0;
  worker.handle(resize, () => {
    runs++;
    throw new Error('no');
  });
  await worker.start();
  const late = await worker.enqueue(resize, photo, { expiresIn: '10s', delay: '11s' });
  const retried = await worker.enqueue(resize, photo, { expiresIn: '4s' });
  const outcomes = await worker.advance('1m');
  t.is(runs, 1);
  t.is(outcomes.filter(({ kind }) => kind === 'deadLetter').length, 2);
  for (const { id } of [late, retried]) t.like(await record(id), { state: 'dead', error: { code: 'ERR_TASK_EXPIRED' } });
});

test('without records tasks run, expire and are not guarded', async (t) => {
  const { worker } = taskWorker(t, { records: false });
  let runs = 0;
  worker.handle(resize, async (job) => {
    await job.progress(0.5);
    await job.checkpoint('kept nowhere');
    return ++runs;
  });
  await worker.start();
  const handle = await worker.enqueue(resize, photo);
  const [outcome] = await worker.advance(0);
  t.is(outcome?.kind, 'ack');
  t.is((await worker.deliver(resize, photo, { messageId: handle.id })).kind, 'ack');
  t.is(runs, 2);
  await worker.enqueue(resize, photo, { expiresIn: 5, delay: 10 });
  t.like((await worker.advance(20))[0], { kind: 'deadLetter', error: { code: 'ERR_TASK_EXPIRED' } });
  await t.throwsAsync(handle.state(), { code: 'ERR_TASK_RECORDS_OFF' });
});

test('a message without an id runs without a record; a plain job is left alone', async (t) => {
  const { worker, store } = taskWorker(t);
  const plain = defineJob<number>('plain', { queue: 'plain' });
  worker.handle(resize, () => 'ran').handle(plain, () => 'ran');
  t.like(await worker.deliver(resize, photo, { messageId: undefined }), { kind: 'ack', result: 'ran' });
  t.like(await worker.deliver(plain, 1), { kind: 'ack', result: 'ran' });
  for await (const { key } of store.list('')) t.fail(key);
});

for (const [why, giveBack] of [
  [
    'whose worker stops',
    (worker: TestWorker): void => {
      void worker.stop({ deadline: 1_000 });
      void worker.clock.advance(1_000);
    },
  ],
  ['whose channel has closed', ({ lastDelivery }: TestWorker): void => void Object.assign(lastDelivery ?? {}, { lost: true })],
] as const) {
  test(`a task ${why} while it runs is queued again, and not dead: its message comes again`, async (t) => {
    const { worker, record } = taskWorker(t);
    const [gate, given] = [new Gate(), new Gate()];
    worker.handle(
      resize,
      async ({ signal }) => {
        signal.addEventListener('abort', given.open);
        await gate.opened;
        throw new Error('given up');
      },
      { retry: never },
    );
    await worker.start();
    const { id } = await worker.enqueue(resize, photo);
    await worker.advance(0);
    t.like(await record(id), { state: 'running' });
    giveBack(worker);
    if (!worker.lastDelivery?.lost) await given.opened;
    gate.open();
    await turn();
    t.like(await record(id), { state: 'queued', error: undefined });
  });
}

test('a result that is too large, or no JSON, is not kept, and the task has succeeded', async (t) => {
  const { worker, record } = taskWorker(t, { maxResultBytes: 100 });
  const results: unknown[] = ['x'.repeat(101), 1n];
  worker.handle(resize, () => results.shift());
  await worker.start();
  for (const why of [/103 bytes/, /BigInt/]) {
    const handle = await worker.enqueue(resize, photo);
    await worker.advance(0);
    const found = await record(handle.id);
    t.is(found?.state, 'succeeded');
    t.regex(found?.resultOmitted ?? '', why);
    await t.throwsAsync(handle.result(), { code: 'ERR_TASK_RESULT_OMITTED' });
  }
});
