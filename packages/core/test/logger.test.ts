import test from 'ava';
import * as fc from 'fast-check';
import { redactUrl, silentLogger } from '../src/logger.js';

for (const [url, shown] of [
  ['amqp://app:s3cret@broker:5672/shop', 'amqp://app:***@broker:5672/shop'],
  ['amqps://app:s3@cret@broker', 'amqps://app:***@broker'],
  ['amqp://app:s3/cret@broker', 'amqp://app:***@broker'],
  ['amqp://us@er:s3cret@broker', 'amqp://us@er:***@broker'],
  ['amqp://:s3cret@broker', 'amqp://:***@broker'],
  ['AMQP://app:s3cret@broker', 'AMQP://app:***@broker'],
  ['amqp://app:s3\ncret@broker', 'amqp://app:***@broker'],
  ['redis+tls://:s3cret@host', 'redis+tls://:***@host'],
  ['postgres://host/shop?user=app&password=s3cret&sslmode=require', 'postgres://host/shop?user=app&password=***&sslmode=require'],
  ['amqp:///app:s3cret@broker', 'amqp:///app:***@broker'],
  ['amqp:/app:s3cret@broker', 'amqp:/app:***@broker'],
  ['amqp//app:s3cret@broker', 'amqp//app:***@broker'],
  ['amqp:app:s3cret@broker', 'amqp:***@broker'],
  ['app:s3cret@broker', 'app:***@broker'],
  ['amqp://app@broker:5672', 'amqp://app@broker:5672'],
  ['amqp://broker:5672/shop', 'amqp://broker:5672/shop'],
  ['amqp://app@broker', 'amqp://app@broker'],
] as const) {
  test(`${JSON.stringify(url)} is shown as ${shown}`, (t) => t.is(redactUrl(url), shown));
}

test('no password is ever shown', (t) => {
  const part = fc.string({ minLength: 1, unit: 'grapheme' }).map(encodeURIComponent);
  fc.assert(
    fc.property(part, part, (user, password) => {
      const marked = `<<${password}>>`;
      return !redactUrl(`amqp://${user}:${marked}@broker:5672/vhost`).includes(marked);
    }),
  );
  t.pass();
});

test('the silent logger takes everything and says nothing', (t) => {
  for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) t.is(silentLogger[level]({}, 'x'), undefined);
});
