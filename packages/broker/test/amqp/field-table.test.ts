import test from 'ava';
import * as fc from 'fast-check';
import { encodeTable, readTable, type FieldTable } from '../../src/amqp/field-table.js';
import { Reader } from '../../src/amqp/reader.js';
import { AmqpError } from '../../src/amqp/replies.js';
import { table } from './_arbitraries.js';

test('A table is written back octet by octet as it was read.', (t) => {
  fc.assert(
    fc.property(table, (table) => {
      const octets = encodeTable(table);
      const read = readTable(new Reader(octets));
      t.deepEqual(read, table);
      t.deepEqual(encodeTable(read), octets);
    }),
  );
  t.pass();
});

test('A table nested too deeply is a syntax error, not an overflow of the stack.', (t) => {
  let table: FieldTable = new Map();
  for (let depth = 0; depth < 100; depth++) table = new Map([['', { type: 'F', value: table }]]);
  t.throws(() => readTable(new Reader(encodeTable(table))), { instanceOf: AmqpError, message: /nested deeper/ });
});

test('An unknown type is a syntax error.', (t) => {
  t.throws(() => readTable(new Reader(Buffer.from([0, 0, 0, 2, 0, 'z'.charCodeAt(0)]))), {
    instanceOf: AmqpError,
    message: /unknown field type 'z'/,
  });
});
