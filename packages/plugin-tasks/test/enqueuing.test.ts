import { setImmediate as turn } from 'node:timers/promises';
import { fixed } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import tasks, { defineTask, group } from '../src/index.js';
import { Gate, taskWorker } from './_worker.js';
import type { TaskWorker } from './_worker.js';

const mail = defineTask<string>('mail', { queue: 'mails' });

/** A store whose reads wait for a gate. */
function slowToRead(store: Store, gate: Gate): Store {
  return {
    get: async (key) => {
      if (key.startsWith('task/one')) await gate.opened;
      return store.get(key);
    },
    putIfAbsent: (...given) => store.putIfAbsent(...given),
    replaceIfVersion: (...given) => store.replaceIfVersion(...given),
    deleteIfVersion: (...given) => store.deleteIfVersion(...given),
    list: (prefix) => store.list(prefix),
    close: () => store.close(),
  };
}

test('of two who enqueue under one id the one resolves by itself where the other cannot publish', async (t) => {
  const [publishing, reading] = [new Gate(), new Gate()];
  const { worker, record } = taskWorker(t, { store: slowToRead(createStore('memory:'), reading) });
  await worker.start();
  const publish = worker.connection.publish.bind(worker.connection);
  worker.connection.publish = async () => {
    worker.connection.publish = publish;
    await publishing.opened;
    throw new Error('no broker');
  };
  const failing = t.throwsAsync(worker.enqueue(mail, 'a', { messageId: 'one' }), { message: 'no broker' });
  await turn();
  const other = worker.enqueue(mail, 'a', { messageId: 'one' });
  await turn();
  publishing.open();
  await failing;
  reading.open();
  t.false((await other).duplicate);
  t.is(worker.sent.length, 1);
  t.like(await record('one'), { state: 'queued' });
});

test('one id for many tasks is refused', async (t) => {
  const { worker } = taskWorker(t);
  await worker.start();
  await t.throwsAsync(worker.enqueueMany(mail, ['a', 'b'], { messageId: 'one' }), { code: 'ERR_INVALID_OPTION' });
  t.is(worker.sent.length, 0);
});

test('a task that a worker has seen is not sent again under its id', async (t) => {
  const { worker } = taskWorker(t);
  let runs = 0;
  const retried = defineTask<string>('retried', { queue: 'mails', retry: fixed({ maxAttempts: 2, delay: 60_000 }) });
  worker.handle(retried, () => {
    runs++;
    throw new Error('not yet');
  });
  await worker.start();
  await worker.enqueue(retried, 'a', { messageId: 'one' });
  await worker.advance(1);
  t.true((await worker.enqueue(retried, 'a', { messageId: 'one' })).duplicate);
  await worker.advance('30s');
  t.is(runs, 1);
});

/** A task with a key, whose producer died before its message was sent. */
async function abandoned(t: ExecutionContext): Promise<TaskWorker & { producer: TestWorker }> {
  const made = taskWorker(t);
  const producer = createTestWorker({ plugins: [delay(), tasks({ store: made.store })] });
  t.teardown(() => producer.stop());
  await producer.start();
  producer.connection.publish = () => new Promise(() => {});
  void producer.enqueue(mail, 'lost', { messageId: 'lost', unique: { key: 'ann' } });
  await turn();
  return { ...made, producer };
}

test('a key whose task was never sent is free after a while; what may have been sent all the same does not run', async (t) => {
  const { worker, record } = await abandoned(t);
  const ran: string[] = [];
  worker.handle(mail, ({ payload }) => void ran.push(payload));
  await worker.start();
  const unique = { key: 'ann' };
  t.like(await worker.enqueue(mail, 'early', { unique }), { id: 'lost', duplicate: true });
  await worker.advance('301s');
  t.false((await worker.enqueue(mail, 'next', { unique })).duplicate);
  t.like(await record('lost'), { state: 'cancelled' });
  await worker.deliver(mail, 'lost', { messageId: 'lost' });
  await worker.advance(1);
  t.deepEqual(ran, ['next']);
});

test('a task or a flow that is due too late is refused as any other message, and leaves no record', async (t) => {
  const { worker, record } = taskWorker(t);
  await worker.start();
  const options = { at: new Date('9999-12-31T00:00:00Z'), messageId: 'late' };
  await t.throwsAsync(worker.enqueue(mail, 'a', options), { code: 'ERR_DELAY_TOO_LONG' });
  t.is(await record('late'), undefined);
  await t.throwsAsync(worker.enqueue(group([[mail, 'a']]).then(mail), undefined, options), { code: 'ERR_DELAY_TOO_LONG' });
});

test('a task that was sent, and waits, keeps its key', async (t) => {
  const { worker } = taskWorker(t);
  await worker.start();
  const unique = { key: 'ann' };
  const { id } = await worker.enqueue(mail, 'a', { unique, exchange: 'elsewhere' });
  await worker.advance('1d');
  t.like(await worker.enqueue(mail, 'b', { unique }), { id, duplicate: true });
});

test('a task that is enqueued again under its id, because its producer died, has its key', async (t) => {
  const { worker } = await abandoned(t);
  await worker.start();
  const unique = { key: 'ann' };
  t.like(await worker.enqueue(mail, 'lost', { unique, messageId: 'lost', exchange: 'elsewhere' }), {
    id: 'lost',
    duplicate: true,
  });
  t.is(worker.sent.length, 1);
  await worker.advance('301s');
  t.like(await worker.enqueue(mail, 'next', { unique }), { id: 'lost', duplicate: true });
});

test('a task that begins while another one that replaces it is sent keeps its key, and the other does not run', async (t) => {
  const { worker } = taskWorker(t);
  const [sending, running] = [new Gate(), new Gate()];
  const ran: string[] = [];
  worker.handle(mail, async ({ payload }) => {
    ran.push(payload);
    await running.opened;
  });
  await worker.start();
  const unique = { key: 'ann', replace: true };
  const first = await worker.enqueue(mail, 'first', { unique, delay: 1_000 });
  const publish = worker.connection.publish.bind(worker.connection);
  worker.connection.publish = async (message) => {
    await sending.opened;
    return publish(message);
  };
  const second = worker.enqueue(mail, 'second', { unique });
  await turn();
  await worker.advance('1s');
  sending.open();
  t.like(await second, { id: first.id, duplicate: true });
  await worker.advance(1);
  running.open();
  await worker.advance('1m');
  t.deepEqual(ran, ['first']);
  t.is(await first.state(), 'succeeded');
});
