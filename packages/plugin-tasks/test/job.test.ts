import { setImmediate as turn } from 'node:timers/promises';
import { fixed } from '@warren/core';
import type { Job } from '@warren/core';
import test from 'ava';
import { defineTask } from '../src/index.js';
import { Gate, taskWorker } from './_worker.js';

const resize = defineTask<{ file: string }>('image.resize', { queue: 'images', retry: fixed({ maxAttempts: 3, delay: 5_000 }) });
const photo = { file: 'a.png' };

test('progress and checkpoints are kept; the next attempt finds what was saved', async (t) => {
  const { worker, record } = taskWorker(t);
  const resumed: unknown[] = [];
  worker.handle(resize, async (job) => {
    resumed.push(job.checkpointed);
    if (job.attempt === 2) return 'done';
    await job.progress(0.4);
    t.is((await record(job.messageId ?? ''))?.progress, 0.4);
    await job.checkpoint({ page: 7 });
    void job.progress(0.5);
    void job.progress(0.6);
    throw new Error('in the middle');
  });
  await worker.start();
  const { id } = await worker.enqueue(resize, photo);
  await worker.advance(0);
  t.like(await record(id), { state: 'retrying', checkpoint: { page: 7 } });
  await worker.advance('5s');
  t.deepEqual(resumed, [undefined, { page: 7 }]);
  t.like(await record(id), { state: 'succeeded', progress: 1 });
});

test('progress outside 0 to 1 is the handler’s failure', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(resize, (job) => job.progress(40));
  const outcome = await worker.deliver(resize, photo, { messageId: 'one' });
  t.like(outcome, { kind: 'retry', error: { code: 'ERR_INVALID_OPTION' } });
});

test('what a handler says after its timeout changes no record any more', async (t) => {
  const { worker, record } = taskWorker(t);
  const gate = new Gate();
  const said: Array<Promise<unknown>> = [];
  const hanging = async (job: Job): Promise<void> => {
    await gate.opened;
    said.push(job.progress(0.9), t.throwsAsync(job.checkpoint('late'), { code: 'ERR_LEASE_LOST' }));
  };
  worker.handle(resize, hanging, { timeout: 1_000 });
  await worker.start();
  const { id } = await worker.enqueue(resize, photo);
  await worker.advance(1_000);
  const ended = await record(id);
  t.like(ended, { state: 'retrying', error: { code: 'ERR_JOB_TIMEOUT' } });
  gate.open();
  await turn();
  await Promise.all(said);
  t.is(said.length, 2);
  t.deepEqual(await record(id), ended);
});

test('a checkpoint leaves room for how its attempt ends; one that does not is refused', async (t) => {
  const { worker, record } = taskWorker(t, { maxResultBytes: 128 * 1024 });
  worker.handle(resize, async (job) => {
    const tooMuch = job.checkpoint('x'.repeat(200 * 1024 - 1));
    await t.throwsAsync(tooMuch, { code: 'ERR_STORE_LIMIT', message: /checkpoint/ });
    if (job.attempt === 1) await job.checkpoint('x'.repeat(200 * 1024 - 2));
    if (job.attempt === 1) throw new Error('\0'.repeat(1_000));
    t.is(String(job.checkpointed).length, 200 * 1024 - 2);
    return 'y'.repeat(128 * 1024 - 2);
  });
  await worker.start();
  const { id } = await worker.enqueue(resize, photo);
  const outcomes = await worker.advance('1m');
  t.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['retry', 'ack'],
  );
  t.like(await record(id), { state: 'succeeded', attempts: 2, checkpoint: undefined });
});
