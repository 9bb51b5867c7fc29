import { exponential, never } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import test from 'ava';
import * as v from 'valibot';
import tasks, { defineTask } from '../src/index.js';

test('a task’s queue is durable with a dead-letter queue; its handler options come with it', (t) => {
  const retry = never;
  const task = defineTask('mail', { queue: 'mails', retry, timeout: 5, concurrency: 2, expiresIn: '1h', exchange: 'e' });
  t.like(task, { name: 'mail', exchange: 'e', routingKey: 'mail' });
  t.like(task.queue, { name: 'mails', durable: true, deadLetter: { exchange: '', routingKey: 'mails.dead' } });
  t.deepEqual(task.handling, { retry, timeout: 5, concurrency: 2, task: { expiresIn: '1h' } });
  t.is(defineTask('mail', { queue: 'mails' }).handling.retry?.length, exponential().length);
});

test('priorities make a classic queue with so many, and are refused where that cannot be', (t) => {
  const { queue } = defineTask('mail', { queue: { name: 'mails', arguments: { 'x-max-length': 5 } }, priorities: 9 });
  t.like(queue.arguments, { 'x-queue-type': 'classic', 'x-max-priority': 9, 'x-max-length': 5 });
  for (const priorities of [0, 256, 1.5]) {
    t.throws(() => defineTask('mail', { queue: 'mails', priorities }), { code: 'ERR_INVALID_OPTION' });
  }
  t.throws(() => defineTask('mail', { queue: { name: 'mails', type: 'quorum' }, priorities: 9 }), {
    code: 'ERR_INVALID_OPTION',
    message: /quorum queue "mails"/,
  });
  t.throws(() => defineTask('mail', { queue: 'mails', expiresIn: 'soon' }), { code: 'ERR_INVALID_OPTION' });
});

test('a schema gives the payload its type, and validates it', async (t) => {
  const task = defineTask('mail', { queue: 'mails', schema: v.object({ to: v.string() }) });
  const worker = createTestWorker({ plugins: [delay(), tasks({ store: 'memory:' })] });
  t.teardown(() => worker.stop());
  worker.handle(task, ({ payload }) => payload.to.length);
  await worker.start();
  await t.throwsAsync(worker.enqueue(task, {} as never), { code: 'ERR_PAYLOAD_INVALID' });
  t.like(await worker.deliver(task, { to: 'ann' }), { kind: 'ack', result: 3 });
});

test('a worker without the plugin says which one a task needs, and the plugin which one it needs', async (t) => {
  const task = defineTask('mail', { queue: 'mails' });
  const without = createTestWorker();
  without.handle(task, () => {});
  await t.throwsAsync(without.start(), { code: 'ERR_UNKNOWN_OPTION', message: /@warren\/plugin-tasks/ });
  await t.throwsAsync(createTestWorker({ plugins: [tasks()] }).start(), { code: 'ERR_PLUGIN_MISSING', message: /"delay"/ });
});

test('wrong options of the plugin are refused', (t) => {
  for (const options of [
    { lease: 5 },
    { keep: 'long' },
    { keep: 0 },
    { keepUnfinished: '29s' },
    { records: 'no' },
    { maxResultBytes: 2 ** 20 },
  ]) {
    t.throws(() => tasks(options as never), { code: 'ERR_INVALID_OPTION' });
  }
  t.throws(() => tasks({ retention: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' });
  t.throws(() => tasks('redis://localhost' as never), { code: 'ERR_INVALID_OPTION', message: /^tasks: expected an object/ });
});
