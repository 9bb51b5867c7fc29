import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { ConnectionLostError, EVENTS, PublishBufferFullError } from '@warren/core';
import type { Message } from '@warren/core';
import type { TestWorker } from '@warren/core/testing';
import { createStore } from '@warren/store';
import { codesOf, leave, makeProducer, recordingLogger, textsOf } from './_producer.js';
import { keysOf } from './_store.js';

test('a store that fails while what waited is sent again loses nothing of it', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['one', 'two'] });
  let [away, down] = [true, false];
  const get = store.get.bind(store);
  store.get = (key) => (down ? Promise.reject(new Error('down')) : get(key));
  const { logger, lines } = recordingLogger();
  const next = makeProducer(t, { store, logger });
  next.connection.onPublish = () => {
    if (away) throw new ConnectionLostError();
  };
  await next.start();
  [away, down] = [false, true];
  next.resolve(EVENTS).emit('connected', { url: 'memory', version: '4.0.5', reconnected: true });
  while (!lines.some(({ message }) => message.includes('until the next start'))) await turn();
  down = false;
  next.resolve(EVENTS).emit('connected', { url: 'memory', version: '4.0.5', reconnected: true });
  while ((await keysOf(store)).length > 0) await turn();
  t.deepEqual(textsOf(next.sent), ['one', 'two']);
});

test('what is left is sent in order through a buffer that rejects what it has no room for', async (t) => {
  const store = createStore('memory:');
  const texts = Array.from({ length: 300 }, (_, index) => `order ${index}`);
  await leave(t, store, { texts });
  const next = makeProducer(t, { store });
  const unconfirmed = confirmingLater(next, ({ messages }) => messages < 70);
  await next.start();
  t.deepEqual(textsOf(next.sent), texts);
  t.deepEqual(await keysOf(store), []);
  t.is(unconfirmed.most.messages, 70);
});

test('a message that an empty buffer has no room for stays, and is logged', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['one', 'large', 'two'] });
  const { logger, lines } = recordingLogger();
  const next = makeProducer(t, { store, logger });
  confirmingLater(next, (_, { content }) => content.toString() !== 'large');
  await next.start();
  t.deepEqual(textsOf(next.sent), ['one', 'two']);
  t.deepEqual(codesOf(lines), ['ERR_PUBLISH_BUFFER_FULL']);
  t.is((await keysOf(store)).length, 1);
});

test('of large messages only some are in memory at a time', async (t) => {
  const store = createStore('memory:');
  const texts = Array.from({ length: 40 }, (_, index) => String(index).padEnd(2 ** 20));
  await leave(t, store, { texts });
  const next = makeProducer(t, { store });
  const unconfirmed = confirmingLater(next, () => true);
  await next.start();
  t.deepEqual(textsOf(next.sent), texts);
  t.is(unconfirmed.most.bytes, 16 * 2 ** 20);
});

interface Load {
  messages: number;
  bytes: number;
}

/** From now on the broker confirms in a later turn, and the buffer has room where `hasRoom` says so. Returns the most that was unconfirmed. */
function confirmingLater({ connection }: TestWorker, hasRoom: (now: Load, message: Message) => boolean): { most: Load } {
  const now: Load = { messages: 0, bytes: 0 };
  const unconfirmed = { most: { ...now } };
  const send = connection.publish.bind(connection);
  const add = (sign: number, { content }: Message): void => {
    now.messages += sign;
    now.bytes += sign * content.length;
    const { most } = unconfirmed;
    unconfirmed.most = { messages: Math.max(most.messages, now.messages), bytes: Math.max(most.bytes, now.bytes) };
  };
  connection.publish = async (message) => {
    if (!hasRoom(now, message)) throw new PublishBufferFullError(now);
    add(1, message);
    await turn();
    add(-1, message);
    return send(message);
  };
  connection.confirmed = async () => {
    while (now.messages > 0) await turn();
  };
  return unconfirmed;
}
