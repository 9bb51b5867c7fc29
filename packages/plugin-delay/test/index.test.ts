import test from 'ava';
import { createWorker, defineJob, never } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import delay from '../src/index.js';

test('it is named delay, and owns the publish options delay and at', (t) => {
  t.is(delay().name, 'delay');
  t.deepEqual(delay().publishOptions, ['delay', 'at']);
});

test('without it a delay is an error that says what to add', async (t) => {
  const worker = createTestWorker();
  const job = defineJob<number>('j', { queue: 'q' });
  await worker.start();
  await t.throwsAsync(worker.publish(job, 1, { delay: 5 }), { code: 'ERR_UNKNOWN_OPTION', message: /plugin-delay/ });
});

test('its options are checked when it is made', (t) => {
  t.throws(() => delay({ prefix: 'a.b' }), { code: 'ERR_INVALID_OPTION' });
});

test('the queue of every handler can be a target from the start', async (t) => {
  const worker = createTestWorker({ plugins: [delay()] });
  worker.handle(defineJob<number>('j', { queue: 'here' }), () => {}, { retry: never });
  await worker.start();
  const patterns = [...(worker.connection.topology?.bindings.values() ?? [])].filter(({ destination }) => destination === 'here');
  t.deepEqual(
    patterns.map(({ source, pattern }) => [source, pattern]),
    [['delay.v1.deliver', '~d.*.*.*.*.*.*.*.*.*.*.*.q.here']],
  );
});

test('a handler whose queue could not be retried with a delay fails the start, before connecting', async (t) => {
  const worker = createWorker({ url: 'amqp://127.0.0.1:1', plugins: [delay()] });
  worker.handle(defineJob('j', { queue: { name: 'q'.repeat(240), deadLetter: false } }), () => {});
  await t.throwsAsync(worker.start(), { code: 'ERR_DELAY_TARGET' });
});
