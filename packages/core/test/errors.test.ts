import test from 'ava';
import * as errors from '../src/errors.js';

/** What every error is made of here: names, numbers and a value that would give a secret away. */
const facts = {
  option: 'prefetch',
  expected: 'a whole number',
  got: { password: undefined },
  where: 'publish',
  known: ['a'],
  owners: ['a', 'b'],
  plugin: 'a',
  dependsOn: 'b',
  plugins: ['a', 'b'],
  job: 'mail',
  queue: 'mails',
  what: 'Queue "mails"',
  first: { durable: true },
  second: { durable: false },
  target: 'Handler',
  index: 1,
  action: 'start',
  state: 'running',
  advice: 'Make another.',
  urls: ['amqp://app:***@broker'],
  url: 'amqp://app:***@broker',
  ms: 1_000,
  reason: 'because',
  operation: 'declare',
  feature: 'A channel prefetch',
  version: 'RabbitMQ 4.3.0',
  instead: 'prefetch',
  messages: 1,
  bytes: 2,
  messageId: 'm-1',
  sent: true,
  exchange: 'events',
  routingKey: 'mail.new',
  issues: [{ path: 'to', message: 'Expected string' }],
  codec: 'json',
  max: 10,
  type: 'fax',
};

type Made = errors.WorkerError & { code: string };
type Constructor = new (given: unknown) => Made;

const ABSTRACT = new Set(['WorkerError', 'ConfigurationError', 'BrokerError', 'JobError']);
const classes = Object.entries(errors).filter(([name]) => !ABSTRACT.has(name)) as Array<[string, Constructor]>;

for (const [name, ErrorClass] of classes) {
  test(`${name} has a stable code, its own name, a sentence and its cause`, (t) => {
    const cause = new Error('cause');
    const error = new ErrorClass(name === 'UnrecoverableError' ? 'No such user.' : { ...facts, cause });
    t.regex(error.code, /^ERR_[A-Z_]+$/);
    t.is(error.name, name);
    t.true(error instanceof errors.WorkerError);
    t.regex(error.message, /^[A-Za-z].*[.?]$/s);
    t.false(/undefined|\[object/.test(error.message.replace('password: undefined', '')), error.message);
    t.true(error.cause === undefined || error.cause === cause);
  });
}

test('codes are unique', (t) => {
  const codes = classes.map(([name, ErrorClass]) => new ErrorClass(name === 'UnrecoverableError' ? 'x' : facts).code);
  t.is(new Set(codes).size, codes.length);
  t.true(codes.length >= 25);
});

test('each error belongs to one family', (t) => {
  for (const [name, ErrorClass] of classes) {
    const error = new ErrorClass(name === 'UnrecoverableError' ? 'x' : facts);
    const families = [errors.ConfigurationError, errors.BrokerError, errors.JobError].filter((family) => error instanceof family);
    t.is(families.length, 1, name);
  }
});

test('errors that no retry can help are unrecoverable', (t) => {
  const { PayloadDecodingError, PayloadEncodingError, PayloadInvalidError, PayloadTooLargeError, UnrecoverableError } = errors;
  for (const PayloadError of [PayloadDecodingError, PayloadEncodingError, PayloadInvalidError, PayloadTooLargeError]) {
    t.true(PayloadError.prototype instanceof UnrecoverableError, PayloadError.name);
  }
});

test('a value in a message is one bounded line', (t) => {
  const got = { text: 'x'.repeat(10_000), list: Array.from({ length: 1_000 }, (_, n) => n), deep: { a: { b: { c: 1 } } } };
  const { message } = new errors.InvalidOptionError({ option: 'x', expected: 'less', got });
  t.true(message.length < 500, String(message.length));
  t.false(message.includes('\n'));
});

test('a value in a message is without the passwords of URLs', (t) => {
  const [text, user] = ['redis://app:s3cr@et@host/0', 'redis://app@host:6379'];
  for (const got of [text, [text], { store: text }, new URL('redis://app:s3cret@host')]) {
    const { message } = new errors.InvalidOptionError({ option: 'x', expected: 'a store', got });
    t.notRegex(message, /s3cr/);
    t.regex(message, /app:\*\*\*@/);
  }
  t.true(new errors.InvalidOptionError({ option: 'x', expected: 'a store', got: user }).message.includes(user));
});

test('an invalid payload lists what is wrong, and where', (t) => {
  const issues = Array.from({ length: 9 }, (_, n) => ({ path: `items.${n}`, message: 'Expected string' }));
  const error = new errors.PayloadInvalidError({ job: 'mail', issues });
  t.true(error.message.includes('items.0: Expected string; items.1'), error.message);
  t.false(error.message.includes('items.5'), 'at most five');
  t.is(error.issues.length, 9);
});
