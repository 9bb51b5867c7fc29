// How long records are kept: for as long as anything may come that asks for them.
import { fixed, never } from '@warren/core';
import test from 'ava';
import { chain, defineTask, group, TASKS } from '../src/index.js';
import { taskWorker } from './_worker.js';

const step = defineTask<string>('step', { queue: 'steps', retry: never });
const after = defineTask<string>('after', { queue: 'afters' });
const collect = defineTask<string[]>('collect', { queue: 'collected' });

test('a task that was cancelled in a full queue does not run, however late its message comes', async (t) => {
  const { worker, record } = taskWorker(t, { keep: '1h' });
  worker.handle(step, () => t.fail());
  await worker.start();
  // A queue that nobody consumes for a while.
  const handle = await worker.enqueue(step, 'a', { exchange: 'elsewhere' });
  await handle.cancel();
  await worker.advance('1d');
  t.like(await worker.deliver(step, 'a', { messageId: handle.id }), { kind: 'ack' });
  await worker.advance('59m');
  t.like(await record(handle.id), { state: 'cancelled' });
  await worker.advance('1m');
  t.is(await record(handle.id), undefined);
});

test('what waits for a cancelled task is told by its message, where whoever cancelled it was not able to', async (t) => {
  const { worker, record } = taskWorker(t);
  worker.handle(step, () => t.fail()).handle(after, () => t.fail());
  await worker.start();
  await worker.enqueue(chain([step, after]), 'a', { delay: '1m', messageId: 'flow' });
  await worker.resolve(TASKS).ledger?.tasks.cancel('flow.step0');
  t.like(await record('flow'), { state: 'waiting' });
  await worker.advance('1m');
  t.like(await record('flow'), { state: 'failed', error: { code: 'ERR_TASK_BEFORE_FAILED' } });
});

test('the result of a group’s member stays until the slowest one has succeeded', async (t) => {
  const { worker } = taskWorker(t, { keep: '1h' });
  const got: string[][] = [];
  worker.handle(
    step,
    ({ payload, attempt }) => {
      if (payload === 'slow' && attempt === 1) throw new Error('not yet');
      return payload;
    },
    { retry: fixed({ maxAttempts: 2, delay: 7_200_000 }) },
  );
  worker.handle(collect, ({ payload }) => void got.push(payload));
  await worker.start();
  await worker.enqueue(group(['fast', 'slow'].map((name) => [step, name] as const)).then(collect));
  await worker.advance('3h');
  t.deepEqual(got, [['fast', 'slow']]);
});

test('a dead task of a chain can be replayed, and the chain goes on, after others would have been forgotten', async (t) => {
  const { worker, record } = taskWorker(t, { keep: '1h' });
  let broken = true;
  worker.handle(step, ({ payload }) => {
    if (broken) throw new Error('broken');
    return payload;
  });
  worker.handle(after, ({ payload }) => `after ${payload}`);
  await worker.start();
  const alone = await worker.enqueue(step, 'a');
  const handle = await worker.enqueue(chain([step, after]), 'a', { messageId: 'flow' });
  await worker.advance('3h');
  t.is(await record(alone.id), undefined);
  t.like(await record('flow'), { state: 'failed' });
  broken = false;
  await worker.deliver(step, 'a', { messageId: 'flow.step0' });
  await worker.advance(1);
  t.is(await handle.result(), 'after a');
});
