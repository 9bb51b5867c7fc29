import test from 'ava';
import { defineJob } from '@warren/core';
import type { Message } from '@warren/core';
import * as fc from 'fast-check';
import { decode, encode, resumed } from '../src/kept-message.js';

const job = defineJob('order', { queue: 'orders', bindings: [{ exchange: 'shop', type: 'topic', pattern: 'order.*' }] });

function message(given: Partial<Message> = {}): Message {
  return {
    exchange: 'shop',
    routingKey: 'order.new',
    content: Buffer.from('{}'),
    properties: { messageId: 'm-1' },
    options: {},
    ...given,
  };
}

/** What AMQP headers can hold, as amqplib takes it. */
const header = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
  ),
})).value;

test('a message comes back as it was, whatever its body and headers hold', (t) => {
  const given = fc.record({
    content: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    headers: fc.dictionary(fc.string(), header),
  });
  fc.assert(
    fc.property(given, ({ content, headers }) => {
      const original = message({ content, properties: { messageId: 'm-1', priority: 3, headers }, job });
      const { job: declared, publishedAt, ...kept } = decode(encode(original, 1_000), 'id');
      const { job: _, ...expected } = original;
      t.deepEqual(kept, expected);
      t.deepEqual(declared, { queue: job.queue, bindings: job.bindings });
      t.is(publishedAt, 1_000);
    }),
  );
});

test('what cannot be written is an error of the message', (t) => {
  const unwritable = message({ properties: { headers: { f: () => {} } } });
  const error = t.throws(() => encode(unwritable, 0), { code: 'ERR_MESSAGE_INVALID' });
  t.true(error.message.includes('order.new'), error.message);
});

test('a text of somebody else is an error that names the record', (t) => {
  for (const text of ['', 'bm8=', '{"a":1}']) {
    const error = t.throws(() => decode(text, 'the-record'), { code: 'ERR_STORE_RECORD_CORRUPT' });
    t.true(error.message.includes('the-record'), error.message);
  }
});

/** The options of a message that is sent half a minute after it was published. */
const again = (options: object): object => resumed(decode(encode(message({ options }), 1_000), 'id'), 31_000).options;

test('what has passed since it was published is not waited for again, and a moment stays', (t) => {
  const at = new Date(90_000);
  t.deepEqual(again({ delay: '1m', mandatory: false }), { delay: 30_000, mandatory: false });
  t.deepEqual(again({ delay: 10_000, expiresIn: '2m' }), { delay: 0, expiresIn: 90_000 });
  t.deepEqual(again({ at, timeout: 500 }), { at, timeout: 500 });
});

test('a clock that was set back makes no wait longer', (t) => {
  t.deepEqual(resumed(decode(encode(message({ options: { delay: 500 } }), 5_000), 'id'), 1_000).options, {
    delay: 500,
  } as object);
});
