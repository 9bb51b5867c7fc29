import { setImmediate as turn } from 'node:timers/promises';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import test from 'ava';
import { defineTask } from '../src/index.js';
import { Gate, taskWorker } from './_worker.js';

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
