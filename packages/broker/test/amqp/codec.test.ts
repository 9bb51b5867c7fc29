import test from 'ava';
import * as fc from 'fast-check';
import { readMethod, writeMethod } from '../../src/amqp/codec.js';
import { Reader } from '../../src/amqp/reader.js';
import { AmqpError } from '../../src/amqp/replies.js';
import { Writer } from '../../src/amqp/writer.js';
import { method } from './_arbitraries.js';

test('Every method is read as it was written.', (t) => {
  fc.assert(
    fc.property(method, ({ name, args }) => {
      const writer = new Writer(16);
      writeMethod(writer, name, args as never);
      t.deepEqual(readMethod(new Reader(writer.take())) as unknown, { name, args });
    }),
  );
  t.pass();
});

test('A method that is cut off anywhere is a syntax error.', (t) => {
  fc.assert(
    fc.property(method, fc.nat(), ({ name, args }, at) => {
      const writer = new Writer(16);
      writeMethod(writer, name, args as never);
      const octets = writer.take();
      if (octets.length === 4) return;
      const cut = octets.subarray(0, 4 + (at % (octets.length - 4)));
      t.throws(() => readMethod(new Reader(cut)), { instanceOf: AmqpError, message: /^SYNTAX_ERROR/ });
    }),
  );
  t.pass();
});

test('An unknown method is not read.', (t) => {
  t.is(readMethod(new Reader(Buffer.from([0, 60, 0, 1]))), undefined);
});
