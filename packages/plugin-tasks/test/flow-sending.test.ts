// Chains and groups that are enqueued again under their id, or cannot be enqueued, or are due in a long time.
import { never } from '@warren/core';
import test from 'ava';
import { chain, defineTask, group } from '../src/index.js';
import { taskWorker } from './_worker.js';

const step = defineTask<string>('step', { queue: 'steps', retry: never });
const after = defineTask<string>('after', { queue: 'afters' });
const collect = defineTask<string[]>('collect', { queue: 'collected' });
const flow = chain([step, after]);

test('a flow’s records are kept from when it is due', async (t) => {
  const { worker } = taskWorker(t, { keepUnfinished: '1h' });
  worker.handle(step, ({ payload }) => payload).handle(after, ({ payload }) => payload);
  worker.handle(collect, ({ payload }) => payload);
  await worker.start();
  const handles = [
    await worker.enqueue(chain([step, after]), 'a', { delay: '2h' }),
    await worker.enqueue(group([[step, 'a']]).then(collect), undefined, { delay: '2h' }),
  ];
  await worker.advance('121m');
  t.deepEqual(await Promise.all(handles.map((handle) => handle.result())), ['a', ['a']]);
});

test('a flow that was enqueued runs, also where enqueuing it again fails', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(step, ({ payload }) => payload).handle(after, ({ payload }) => `after ${payload}`);
  await worker.start();
  const options = { messageId: 'flow', delay: '1m' };
  const first = await worker.enqueue(flow, 'a', options);
  worker.connection.onPublish = () => {
    throw new Error('no broker');
  };
  await t.throwsAsync(worker.enqueue(flow, 'a', options), { message: 'no broker' });
  worker.connection.onPublish = undefined;
  await worker.advance('61s');
  t.is(await first.result(), 'after a');
});

test('a flow that could not be enqueued runs when it is enqueued again under its id', async (t) => {
  const { worker, record } = taskWorker(t);
  const got: string[][] = [];
  worker.handle(step, ({ payload }) => payload).handle(collect, ({ payload }) => void got.push(payload));
  await worker.start();
  const flow = group(['a', 'b'].map((name) => [step, name] as const)).then(collect);
  worker.connection.onPublish = ({ content }) => {
    if (content.includes('b')) throw new Error('no broker');
  };
  await t.throwsAsync(worker.enqueue(flow, undefined, { messageId: 'flow' }), { message: 'no broker' });
  t.like(await record('flow'), { state: 'cancelled', error: { code: 'ERR_FLOW_NOT_ENQUEUED' } });
  await worker.advance('1m');
  t.deepEqual(got, []);
  worker.connection.onPublish = undefined;
  t.false((await worker.enqueue(flow, undefined, { messageId: 'flow' })).duplicate);
  await worker.advance('1m');
  t.deepEqual(got, [['a', 'b']]);
  t.like(await record('flow'), { state: 'succeeded', error: undefined });
});

test('a flow that has ended is not sent again; one that was cancelled stays so', async (t) => {
  const { worker } = taskWorker(t);
  let runs = 0;
  worker.handle(step, () => {
    runs++;
    throw new Error('broken');
  });
  worker.handle(after, () => t.fail());
  await worker.start();
  await worker.enqueue(flow, 'a', { messageId: 'dead' });
  await worker.advance(1);
  await (await worker.enqueue(flow, 'a', { messageId: 'cancelled', delay: '1m' })).cancel();
  for (const messageId of ['dead', 'cancelled']) t.true((await worker.enqueue(flow, 'a', { messageId })).duplicate);
  await worker.advance('1m');
  t.is(runs, 1);
});
