import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { ConnectionLostError, EVENTS, UnroutableError } from '@warren/core';
import type { Plugin } from '@warren/core';
import type { TestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import tasks from '@warren/plugin-tasks';
import { createStore } from '@warren/store';
import { order } from './_order.js';
import { codesOf, cutOff, leave, makeProducer, producer, recordingLogger, textsOf } from './_producer.js';
import { keysOf } from './_store.js';

test('what a killed producer has left is sent at the next start, in order, under its ids, and then gone', async (t) => {
  const store = createStore('memory:');
  const texts = Array.from({ length: 600 }, (_, index) => `order ${index}`);
  const killed = await producer(t, { store });
  const lost = cutOff(killed);
  for (const text of texts) void killed.publish(order, text, { headers: { tenant: 'acme' } });
  while (lost.length < texts.length) await turn();

  const { logger, lines } = recordingLogger();
  const next = await producer(t, { store, logger });
  t.deepEqual(textsOf(next.sent), texts);
  const facts = ({ exchange, routingKey, properties, options }: (typeof lost)[0]): unknown => ({
    exchange,
    routingKey,
    properties,
    options,
  });
  t.deepEqual(next.sent.map(facts), lost.map(facts));
  t.deepEqual(await keysOf(store), []);
  t.deepEqual(
    lines.map(({ level, facts: { sent, left } }) => [level, sent, left]),
    [
      ['info', undefined, 600],
      ['info', 250, 350],
      ['info', 500, 100],
      ['info', 600, 0],
    ],
  );
  const third = await producer(t, { store });
  t.deepEqual(third.sent, []);
});

test('what is left is sent before anything new', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['old'] });
  const next = makeProducer(t, { store, plugins: [publishingAtStart('new')] });
  await next.start();
  t.deepEqual(textsOf(next.sent), ['old', 'new']);
});

/** Publishes in its own start, for example as a scheduler does. */
function publishingAtStart(text: string): Plugin {
  let worker: { publish: TestWorker['publish'] } | undefined;
  return { name: 'eager', extend: (made) => void (worker = made), start: async () => worker?.publish(order, text) };
}

test('what is left goes through the layers of all other plugins once, whatever order is given', async (t) => {
  const store = createStore('memory:');
  const stamp: Plugin = {
    name: 'stamp',
    publish: (next) => (message) => {
      const { properties } = message;
      return next({
        ...message,
        properties: {
          ...properties,
          headers: { ...properties.headers, stamps: Number(properties.headers?.['stamps'] ?? 0) + 1 },
        },
      });
    },
  };
  await leave(t, store, { texts: ['one'], plugins: [stamp] });
  const next = await producer(t, { store, plugins: [stamp] });
  t.is(next.sent[0]?.properties.headers?.['stamps'], 1);
});

test('a message that no queue takes any more stays, is logged with its id, and holds up no other', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['gone', 'good'], options: { messageId: 'm-1' } });
  const { logger, lines } = recordingLogger();
  const next = makeProducer(t, { store, logger });
  let tries = 0;
  next.connection.onPublish = (message) => {
    if (message.content.toString() !== 'gone') return;
    tries++;
    throw new UnroutableError(message);
  };
  await next.start();
  next.resolve(EVENTS).emit('connected', { url: 'memory', version: '4.0.5', reconnected: true });
  await turn();
  t.deepEqual(textsOf(next.sent), ['good']);
  t.is(tries, 1, 'once in a start');
  t.is((await keysOf(store)).length, 1);
  const [error] = lines.filter(({ level }) => level === 'error');
  t.like(error?.facts, { messageId: 'm-1', routingKey: 'orders' });

  const fixed = await producer(t, { store });
  t.deepEqual(textsOf(fixed.sent), ['gone']);
  t.deepEqual(await keysOf(store), []);
});

test('what the broker does not take because it is away again is sent when it is back, in order', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['one', 'two', 'three'] });
  const { logger, lines } = recordingLogger();
  const next = makeProducer(t, { store, logger });
  let [away, tries] = [true, 0];
  next.connection.onPublish = () => {
    if (away && ++tries > 1) throw new ConnectionLostError();
  };
  await next.start();
  t.deepEqual(textsOf(next.sent), ['one']);
  t.deepEqual(
    lines.filter(({ level }) => level === 'error').map(({ facts }) => facts['left']),
    [2],
  );
  away = false;
  next.resolve(EVENTS).emit('connected', { url: 'memory', version: '4.0.5', reconnected: true });
  while ((await keysOf(store)).length > 0) await turn();
  t.deepEqual(textsOf(next.sent), ['one', 'two', 'three']);
});

test('a broker that is back before the last message has failed is not missed', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['one'] });
  const next = makeProducer(t, { store });
  let away = true;
  next.connection.onPublish = () => {
    if (!away) return;
    away = false;
    next.resolve(EVENTS).emit('connected', { url: 'memory', version: '4.0.5', reconnected: true });
    throw new ConnectionLostError();
  };
  await next.start();
  while ((await keysOf(store)).length > 0) await turn();
  t.deepEqual(textsOf(next.sent), ['one']);
});

test('a delayed message waits the rest of its delay, and not without the plugin that delays', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['later'], options: { delay: '10m' }, plugins: [delay()] });

  const { logger, lines } = recordingLogger();
  const without = await producer(t, { store, logger });
  t.deepEqual(without.sent, []);
  t.deepEqual(codesOf(lines), ['ERR_UNKNOWN_OPTION']);

  const next = makeProducer(t, { store, plugins: [delay()] });
  await next.clock.advance(4 * 60_000);
  await next.start();
  t.is(next.sent[0]?.properties.headers?.['x-delay-ms'], 6 * 60_000);
});

const expiring = (): Plugin[] => [delay(), tasks({ records: false })];

test('a message that expires does so at the moment that its first publishing set', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['soon'], options: { expiresIn: '10m' }, plugins: expiring() });
  const next = makeProducer(t, { store, plugins: expiring() });
  const published = next.clock.now();
  await next.clock.advance(4 * 60_000);
  await next.start();
  t.is(next.sent[0]?.properties.headers?.['x-task-expires-at'], published + 10 * 60_000);
});

test('a record that nobody can read stays, and holds up no other', async (t) => {
  const store = createStore('memory:');
  await store.putIfAbsent('spool/message/0000000000000001-foreign', 'no JSON');
  await store.putIfAbsent('spool/message/0000000000000002-foreign', '{"text":"bm8=","parts":0}');
  await leave(t, store, { texts: ['good'] });
  const { logger, lines } = recordingLogger();
  const next = await producer(t, { store, logger });
  t.deepEqual(textsOf(next.sent), ['good']);
  t.deepEqual(codesOf(lines), ['ERR_STORE_RECORD_CORRUPT', 'ERR_STORE_RECORD_CORRUPT']);
  t.is((await keysOf(store)).length, 2);
});

test('a stop while it is sent again leaves the rest for the next start', async (t) => {
  const store = createStore('memory:');
  const texts = Array.from({ length: 600 }, (_, index) => `order ${index}`);
  await leave(t, store, { texts });
  const stopped = makeProducer(t, { store });
  let stop: Promise<unknown> | undefined;
  stopped.connection.onPublish = () => void (stop ??= stopped.stop({ deadline: 5_000 }));
  await t.throwsAsync(stopped.start(), { code: 'ERR_WORKER_STATE' });
  await stop;
  t.is(stopped.sent.length, 250);
  const next = await producer(t, { store });
  t.deepEqual(textsOf([...stopped.sent, ...next.sent]), texts);
});

test('a store that cannot be used fails the start', async (t) => {
  const store = createStore('memory:');
  await store.close();
  await t.throwsAsync(makeProducer(t, { store }).start(), { code: 'ERR_STORE_CLOSED' });
});
