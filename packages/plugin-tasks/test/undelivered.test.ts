import { fixed } from '@warren/core';
import test from 'ava';
import * as v from 'valibot';
import { chain, defineTask, TASKS } from '../src/index.js';
import { taskWorker } from './_worker.js';

const retry = fixed({ maxAttempts: 2, delay: 1_000 });
const fetch = defineTask<string>('fetch', { queue: 'fetched', retry });
const strict = defineTask('strict', { queue: 'strict', schema: v.object({ file: v.string() }) });
const after = defineTask<string>('after', { queue: 'afters' });

test('a task whose payload does not fit its schema is dead, and so is what waits for it', async (t) => {
  const { worker, record } = taskWorker(t);
  worker.handle(fetch, ({ payload }) => payload);
  worker.handle(strict, () => t.fail()).handle(after, () => t.fail());
  await worker.start();
  const handle = await worker.enqueue(chain([fetch, strict, after]), 'no file', { messageId: 'flow' });
  await worker.advance(1);
  t.like(await record('flow.step1'), { state: 'dead', attempts: 0, error: { code: 'ERR_PAYLOAD_INVALID' } });
  await t.throwsAsync(handle.result(), { code: 'ERR_TASK_FAILED', message: /comes before this one, is dead/ });
});

test('a task that nobody in its queue handles is dead after its last attempt, and its key is free', async (t) => {
  const { worker } = taskWorker(t, {}, { retry });
  const unhandled = defineTask<string>('unhandled', { queue: 'fetched' });
  worker.handle(fetch, () => t.fail());
  await worker.start();
  const handle = await worker.enqueue(unhandled, 'a', { unique: { key: 'k' }, exchange: 'elsewhere' });
  const message = { type: 'unhandled', messageId: handle.id };
  await worker.deliver(fetch, 'a', message);
  t.is(await handle.state(), 'queued');
  await worker.deliver(fetch, 'a', { ...message, attempt: 2 });
  t.like(await handle.record(), { state: 'dead', error: { code: 'ERR_UNKNOWN_JOB' } });
  t.is(await worker.resolve(TASKS).unique(unhandled, 'k'), undefined);
});

test('a store that is away does not keep such a task from its dead-letter queue', async (t) => {
  const { worker, store, warnings } = taskWorker(t);
  worker.handle(strict, () => t.fail());
  await worker.start();
  await store.close();
  t.like(await worker.deliver(strict, {} as never, { messageId: 'one' }), { kind: 'deadLetter' });
  t.is(worker.sent.at(-1)?.routingKey, 'strict.dead');
  t.is(worker.lastDelivery?.settled, 'acked');
  t.regex(warnings.join(), /could not be written/);
});
