import test from 'ava';
import { createWorker, defineJob } from '../src/index.js';
import type { HandlerOptions, WorkerOptions } from '../src/index.js';
import { settingsOf } from '../src/options.js';

const mail = defineJob('mail', { queue: 'mails' });

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

const wrongOptions: ReadonlyArray<readonly [options: unknown, name: string]> = [
  ['amqp://user:s3cret@host', 'createWorker'],
  [null, 'createWorker'],
  [{ url: 'localhost' }, 'url'],
  [{ url: 'http://localhost' }, 'url'],
  [{ url: { password: 's3cret' } }, 'url'],
  [{ url: ['amqp://ok', 'user:s3cret@host'] }, 'url'],
  [{ prefetch: -1 }, 'prefetch'],
  [{ prefetch: 70_000 }, 'prefetch'],
  [{ concurrency: 0 }, 'concurrency'],
  [{ concurrency: 1.5 }, 'concurrency'],
  [{ maxPayloadBytes: '1 MB' }, 'maxPayloadBytes'],
  [{ publishTimeout: 0 }, 'publishTimeout'],
  [{ brokerTimeout: Infinity }, 'brokerTimeout'],
  [{ startTimeout: NaN }, 'startTimeout'],
  [{ heartbeat: -5 }, 'heartbeat'],
  [{ retry: 5 }, 'retry'],
  [{ publishBuffer: { messages: 0 } }, 'publishBuffer.messages'],
  [{ reconnect: { initial: -1 } }, 'reconnect.initial'],
  [{ reconnect: { max: NaN } }, 'reconnect.max'],
  [{ reconnect: { factor: 0.5 } }, 'reconnect.factor'],
  [{ reconnect: { alarmAfter: '5' } }, 'reconnect.alarmAfter'],
  [{ publishBuffer: { bytes: -1 } }, 'publishBuffer.bytes'],
  [{ publishBuffer: { whenFull: 'drop' } }, 'publishBuffer.whenFull'],
];

test('an option that nobody knows is refused: a misspelt url would be localhost', (t) => {
  const refused = t.throws(() => createWorker({ urls: ['amqp://host'] } as WorkerOptions), { code: 'ERR_UNKNOWN_OPTION' });
  t.regex(refused.message, /"urls" in createWorker\. Known here: url, /);
});

for (const [options, name] of wrongOptions) {
  test(`the option ${JSON.stringify(options).replace(/s3cret/g, '***')} is refused, without its secrets`, (t) => {
    const error = t.throws(() => createWorker(options as WorkerOptions), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith(name), error.message);
    t.false(error.message.includes('s3cret'), error.message);
  });
}

for (const options of [
  { concurrency: 0 },
  { prefetch: -1 },
  { prefetch: 1.5 },
  { timeout: 0 },
  { timeout: '1s' },
  { retry: 'fixed' },
]) {
  test(`the handler option ${JSON.stringify(options)} is refused`, (t) => {
    t.throws(() => createWorker().handle(mail, () => {}, options as unknown as HandlerOptions), {
      code: 'ERR_INVALID_OPTION',
    });
  });
}
