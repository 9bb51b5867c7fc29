// What is refused is in worker.test.ts, through createWorker.
import test from 'ava';
import { requireWhole, settingsOf } from '../src/options.js';

test('without options everything has its default', (t) => {
  t.like(settingsOf({}), {
    urls: ['amqp://localhost'],
    findServers: undefined,
    plugins: [],
    prefetch: 20,
    concurrency: undefined,
    maxPayloadBytes: 16 * 2 ** 20,
    publishBuffer: { messages: 10_000, bytes: 64 * 2 ** 20, whenFull: 'wait' },
    publishTimeout: 30_000,
    brokerTimeout: 10_000,
    startTimeout: 30_000,
    reconnect: { initial: 500, factor: 2, max: 30_000, alarmAfter: 5 },
    heartbeat: 5,
  });
});

test('nested options keep the defaults of what they leave out', (t) => {
  const { publishBuffer, reconnect } = settingsOf({ publishBuffer: { whenFull: 'reject' }, reconnect: { max: 1_000 } });
  t.deepEqual(publishBuffer, { messages: 10_000, bytes: 64 * 2 ** 20, whenFull: 'reject' });
  t.deepEqual(reconnect, { initial: 500, factor: 2, max: 1_000, alarmAfter: 5 });
});

test('one address or several', (t) => {
  t.deepEqual(settingsOf({ url: 'amqps://a' }).urls, ['amqps://a']);
  t.deepEqual(settingsOf({ url: ['amqp://a:5673/shop', 'amqp://user:p%40ss@b?heartbeat=5'] }).urls.length, 2);
});

test('a whole number within its bounds passes, anything else is told the bounds', (t) => {
  for (const good of [0, 5, 10]) t.notThrows(() => requireWhole('x', good, { min: 0, max: 10 }));
  for (const bad of [-1, 11, 1.5, NaN, Infinity, '5', null, undefined, 5n]) {
    const error = t.throws(() => requireWhole('x', bad, { min: 0, max: 10 }), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith('x: expected a whole number from 0 to 10, got '), error.message);
  }
});
