import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { defineJob, fixed } from '@warren/core';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import { order } from './_order.js';
import { codesOf, cutOff, makeProducer, producer, recordingLogger, textsOf } from './_producer.js';
import { keysOf } from './_store.js';

test('a message is in the store before it is sent, and no longer when its publish has resolved', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  const whileSending: string[][] = [];
  const { connection } = worker;
  const send = connection.publish.bind(connection);
  connection.publish = async (message) => {
    whileSending.push(await keysOf(store));
    return send(message);
  };
  await worker.publish(order, 'one');
  t.deepEqual(
    whileSending.map(({ length }) => length),
    [1],
  );
  t.deepEqual(await keysOf(store), []);
  t.deepEqual(textsOf(worker.sent), ['one']);
});

test('a message is in the store before its job’s queue is declared, which a broker that is away does not answer', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  worker.connection.declare = () => new Promise(() => {});
  void worker.publish(order, 'one');
  await turn();
  t.is((await keysOf(store)).length, 1);
  t.deepEqual(worker.sent, []);
});

test('a publish that rejects is told to its publisher, and not sent later', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  const refusal = new Error('refused');
  worker.connection.onPublish = () => {
    throw refusal;
  };
  await t.throwsAsync(worker.publish(order, 'one'), { is: refusal });
  t.deepEqual(await keysOf(store), []);
});

test('a store that cannot keep a message rejects its publish, and nothing is sent', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  await store.close();
  await t.throwsAsync(worker.publish(order, 'one'), { code: 'ERR_STORE_CLOSED' });
  t.deepEqual(worker.sent, []);
});

test('one message that the store does not take stops none behind it', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store: refusingFirst(store) });
  const results = await Promise.allSettled(['one', 'two', 'three'].map((text) => worker.publish(order, text)));
  t.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  t.deepEqual(textsOf(worker.sent), ['two', 'three']);
});

test('messages are sent in the order in which they were published, whatever order the store answers in', async (t) => {
  const worker = await producer(t, { store: answeringBackward(createStore('memory:')) });
  const texts = ['one', 'two', 'three', 'four'];
  await Promise.all(texts.map((text) => worker.publish(order, text)));
  t.deepEqual(textsOf(worker.sent), texts);
});

test('two messages under one id are both kept', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  cutOff(worker);
  for (const routingKey of ['a', 'b'])
    void worker.send({ exchange: 'shop', routingKey, content: 'x', properties: { messageId: 'm-1' } });
  await turn();
  t.is((await keysOf(store)).length, 2);
});

test('what settling publishes is not kept: its original comes again', async (t) => {
  const store = createStore('memory:');
  const worker = makeProducer(t, { store });
  const mail = defineJob<string>('mail', { queue: 'mails' });
  worker.handle(mail, () => Promise.reject(new Error('failed')), { retry: fixed({ maxAttempts: 2, delay: 0 }) });
  const kept: number[] = [];
  worker.connection.onPublish = () => void keysOf(store).then(({ length }) => kept.push(length));
  await worker.deliver(mail, 'one');
  await worker.deliver(mail, 'one', { attempt: 2 });
  await turn();
  t.is(worker.sent.length, 2);
  t.deepEqual(kept, [0, 0]);
});

test('a follow-up that a handler publishes is kept', async (t) => {
  const store = createStore('memory:');
  const worker = makeProducer(t, { store });
  worker.handle(order, (job) => job.publish(defineJob<string>('invoice', { queue: 'invoices' }), 'two'));
  await worker.start();
  cutOff(worker);
  void worker.deliver(order, 'one');
  await turn();
  t.is((await keysOf(store)).length, 1);
});

test('a message that need not outlive the broker need not outlive its producer', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  const lost = cutOff(worker);
  void worker.publish(order, 'one', { persistent: false });
  await turn();
  t.is(lost.length, 1);
  t.deepEqual(await keysOf(store), []);
});

test('a message of megabytes is kept as any other', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  const long = 'x'.repeat(3_000_000);
  await worker.publish(order, long);
  t.deepEqual(textsOf(worker.sent), [long]);
  t.deepEqual(await keysOf(store), []);
});

test('what is unconfirmed when the worker stops stays, and its publisher is told', async (t) => {
  const store = createStore('memory:');
  const worker = await producer(t, { store });
  let lose: ((error: Error) => void) | undefined;
  worker.connection.publish = () => new Promise((_, reject) => (lose = reject));
  worker.connection.confirmed = () => new Promise(() => {});
  worker.connection.close = async () => lose?.(new Error('closed'));
  const published = worker.publish(order, 'one', { messageId: 'm-1' });
  const told = t.throwsAsync(published, { code: 'ERR_SPOOL_KEPT' });
  await turn();
  const stopped = worker.stop({ deadline: 1_000 });
  await worker.clock.advance(1_000);
  await stopped;
  t.true((await told).message.includes('m-1'));
  t.is((await keysOf(store)).length, 1);
});

test('a record that cannot be erased is no failure of its publish, and is logged', async (t) => {
  const { logger, lines } = recordingLogger();
  const store = createStore('memory:');
  const worker = await producer(t, { store, logger });
  worker.connection.onPublish = () => void store.close();
  await worker.publish(order, 'one');
  t.deepEqual(codesOf(lines), ['ERR_STORE_CLOSED']);
});

function refusingFirst(store: Store): Store {
  let refusals = 1;
  return withPut(store, (put) => (refusals-- > 0 ? Promise.reject(new Error('full')) : put()));
}

/** Each write takes a turn less than the one before. */
function answeringBackward(store: Store): Store {
  let turns = 10;
  return withPut(store, async (put) => {
    for (let left = turns--; left > 0; left--) await turn();
    return put();
  });
}

function withPut(store: Store, around: (put: () => Promise<number | undefined>) => Promise<number | undefined>): Store {
  return {
    get: (key) => store.get(key),
    putIfAbsent: (...given) => around(() => store.putIfAbsent(...given)),
    replaceIfVersion: (...given) => store.replaceIfVersion(...given),
    deleteIfVersion: (...given) => store.deleteIfVersion(...given),
    list: (prefix) => store.list(prefix),
    close: () => store.close(),
  };
}
