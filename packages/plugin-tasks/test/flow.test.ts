import { fixed } from '@warren/core';
import type { Message } from '@warren/core';
import test from 'ava';
import * as fc from 'fast-check';
import { chain, defineTask, group } from '../src/index.js';
import type { Chain } from '../src/index.js';
import { plan } from '../src/flow.js';
import { taskWorker } from './_worker.js';

const retry = fixed({ maxAttempts: 2, delay: 1_000 });
const fetch = defineTask<string>('fetch', { queue: 'steps', retry });
const resize = defineTask<string>('resize', { queue: 'steps', retry });
const store = defineTask<string>('store', { queue: 'steps', retry });
const collage = defineTask<string[]>('collage', { queue: 'collages', retry });

test('in a chain each task gets the former’s result, and the handle has the last one’s', async (t) => {
  const { worker, record } = taskWorker(t);
  for (const task of [fetch, resize, store]) worker.handle(task, ({ payload, name }) => `${payload}>${name}`);
  await worker.start();
  const handle = await worker.enqueue(chain([fetch, resize, store]), 'url', { messageId: 'f' });
  t.deepEqual(await Promise.all(['f.step0', 'f.step1', 'f'].map(async (id) => (await record(id))?.state)), [
    'queued',
    'waiting',
    'waiting',
  ]);
  await worker.advance(1);
  t.is(await handle.result(), 'url>fetch>resize>store');
});

test('what comes after a group gets the list of its results, in order, once', async (t) => {
  const { worker } = taskWorker(t);
  const got: string[][] = [];
  worker.handle(resize, ({ payload }) => payload.toUpperCase());
  worker.handle(fetch, ({ payload }) => `fetched ${payload}`);
  worker.handle(collage, ({ payload }) => got.push(payload));
  await worker.start();
  const handle = await worker.enqueue(
    group([
      [resize, 'a'],
      [chain([fetch, resize]), 'b'],
      [resize, 'c'],
    ]).then(collage),
  );
  await worker.advance(1_000);
  t.is(await handle.result(), 1);
  t.deepEqual(got, [['A', 'FETCHED B', 'C']]);
});

test('a group can be followed by a chain', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(resize, ({ payload }) => payload);
  worker.handle(collage, ({ payload }) => payload.join('+'));
  worker.handle(store, ({ payload }) => `stored ${payload}`);
  await worker.start();
  const handle = await worker.enqueue(
    group([
      [resize, 'a'],
      [resize, 'b'],
    ]).then(chain([collage, store])),
  );
  await worker.advance(1_000);
  t.is(await handle.result(), 'stored a+b');
});

test('a task that dies fails what waits for it; replayed, it lets that run', async (t) => {
  const { worker, record } = taskWorker(t);
  let broken = true;
  worker.handle(fetch, ({ payload }) => payload);
  worker.handle(resize, ({ payload }) => {
    if (broken) throw new Error('no memory');
    return payload;
  });
  worker.handle(store, ({ payload }) => `stored ${payload}`);
  await worker.start();
  const handle = await worker.enqueue(chain([fetch, resize, store]), 'url', { messageId: 'f' });
  await worker.advance('5s');
  await t.throwsAsync(handle.result(), { code: 'ERR_TASK_FAILED', message: /comes before this one, is dead/ });
  t.is((await record('f.step1'))?.state, 'dead');
  broken = false;
  await worker.deliver(resize, 'url', { messageId: 'f.step1' });
  await worker.advance(1);
  t.is(await handle.result(), 'stored url');
});

for (const options of [{}, { records: false }]) {
  test(`a worker ${options.records === false ? 'without records' : 'with another store'} does not run a flow’s task, which replayed by the right one goes on`, async (t) => {
    const [right, wrong] = [taskWorker(t), taskWorker(t, options)];
    const runs: string[] = [];
    for (const { worker } of [right, wrong]) {
      for (const task of [fetch, store]) worker.handle(task, ({ payload }) => runs.push(payload));
      await worker.start();
    }
    const handle = await right.worker.enqueue(chain([fetch, store]), 'url', { messageId: 'f' });
    const [{ properties }] = right.worker.published as [Message];
    const outcome = await wrong.worker.deliver(fetch, 'url', properties);
    t.like(outcome, { kind: 'deadLetter', error: { code: 'ERR_TASK_RECORD_MISSING' } });
    t.deepEqual(runs, []);
    const { headers } = wrong.worker.sent[0]?.properties ?? {};
    await right.worker.deliver(fetch, 'url', { ...properties, headers });
    await right.worker.advance(1);
    t.is(await handle.result(), 2);
  });
}

test('cancelling a flow cancels all of it that has not begun', async (t) => {
  const { worker } = taskWorker(t);
  const ran: string[] = [];
  for (const task of [fetch, resize, store]) worker.handle(task, ({ name }) => void ran.push(name));
  await worker.start();
  const handle = await worker.enqueue(chain([fetch, resize, store]), 'url', { delay: '10m' });
  t.true(await handle.cancel());
  await worker.advance('11m');
  t.deepEqual(ran, []);
});

test('a task that succeeded before its worker died, and whose follower was not sent, sends it when its message comes again', async (t) => {
  const { worker, record } = taskWorker(t);
  worker.handle(fetch, () => 'fetched').handle(store, ({ payload }) => payload);
  await worker.start();
  worker.connection.onPublish = ({ properties }) => {
    if (properties.type === 'store') throw new Error('died');
  };
  await worker.enqueue(chain([fetch, store]), 'url', { messageId: 'f' });
  const [outcome] = await worker.advance(1);
  t.like(outcome, { kind: 'requeue' });
  t.is((await record('f.step0'))?.state, 'succeeded');
  worker.connection.onPublish = undefined;
  await worker.advance('6s');
  t.like(await record('f'), { state: 'succeeded', result: 'fetched' });
});

test('a result that cannot be handed on is the task’s failure', async (t) => {
  const { worker, record } = taskWorker(t, { maxResultBytes: 10 });
  worker.handle(fetch, () => 'x'.repeat(11)).handle(store, () => {});
  await worker.start();
  await worker.enqueue(chain([fetch, store]), 'url', { messageId: 'f' });
  await worker.advance(1);
  t.like(await record('f.step0'), { state: 'dead', error: { code: 'ERR_TASK_RESULT' } });
  t.like(await record('f'), { state: 'failed' });
});

test('a flow that cannot be enqueued whole is cancelled whole', async (t) => {
  const { worker, record } = taskWorker(t);
  await worker.start();
  worker.connection.onPublish = ({ content }) => {
    if (content.includes('bad')) throw new Error('refused');
  };
  const flow = group([
    [resize, 'good'],
    [resize, 'bad'],
  ]).then(collage);
  await t.throwsAsync(worker.enqueue(flow, undefined, { messageId: 'f' }), { message: 'refused' });
  for (const id of ['f', 'f.group.0', 'f.group.1']) t.is((await record(id))?.state, 'cancelled', id);
});

test('a group that is awaited by mistake says so; what is no task, or not JSON, is refused', async (t) => {
  const text = defineTask<string>('text', { queue: 'steps', codec: 'text' });
  await t.throwsAsync(async () => await (group([[resize, 'a']]) as unknown as Promise<unknown>), {
    code: 'ERR_INVALID_OPTION',
    message: /no promise/,
  });
  t.throws(() => chain([] as never), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => chain([fetch, {} as never]), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => chain([text]), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => group([]), { code: 'ERR_INVALID_OPTION' });
  const { worker } = taskWorker(t);
  await worker.start();
  await t.throwsAsync(worker.enqueue(chain([fetch]), 'a', { unique: { key: 'k' } }), { code: 'ERR_INVALID_OPTION' });
});

function steps(length: number): Chain<string> {
  return chain(Array.from({ length }, () => fetch) as [typeof fetch]);
}

test('a plan has an id for each task, one task without a follower, and is the same when it is made again', (t) => {
  const members = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(members, fc.integer({ min: 1, max: 4 }), (lengths, last) => {
      const flow = group(lengths.map((length) => [steps(length), 'payload'] as const)).then(steps(last));
      const { tasks, group: counted } = plan(flow, undefined, 'f');
      t.deepEqual(plan(flow, undefined, 'f').tasks, tasks);
      const ids = new Set(tasks.map(({ id }) => id));
      t.is(
        ids.size,
        lengths.reduce((sum, length) => sum + length, last),
      );
      t.deepEqual(
        tasks.filter(({ next, join }) => next === undefined && join === undefined).map(({ id }) => id),
        ['f'],
      );
      t.is(tasks.filter(({ first }) => first).length, lengths.length);
      t.true(tasks.every(({ next }) => next === undefined || ids.has(next)));
      t.deepEqual(
        tasks.flatMap(({ join }) => (join ? [join.index] : [])).toSorted((a, b) => a - b),
        lengths.map((_, index) => index),
      );
      t.true(ids.has(counted?.next ?? ''));
    }),
    { numRuns: 50 },
  );
});
