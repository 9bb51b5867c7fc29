import * as fc from 'fast-check';
import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import type { ARGUMENT_TYPES } from '../../src/amqp/argument-types.js';
import { METHODS, type FieldType, type MethodName } from '../../src/amqp/methods.js';

const shortstr = fc.string({ unit: 'binary', maxLength: 60 });
const octets = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const float = fc.float({ noNaN: true });

function field<T extends Field['type']>(type: T, value: fc.Arbitrary<Extract<Field, { type: T }>['value']>): fc.Arbitrary<Field> {
  return value.map((value) => ({ type, value }) as Field);
}

const trees = fc.letrec<{ field: Field; table: FieldTable }>((tie) => ({
  table: fc.array(fc.tuple(shortstr, tie('field')), { maxLength: 6 }).map((entries) => new Map(entries)),
  field: fc.oneof(
    { depthSize: 'small' },
    field('t', fc.boolean()),
    field('b', fc.integer({ min: -128, max: 127 })),
    field('B', fc.integer({ min: 0, max: 255 })),
    field('s', fc.integer({ min: -32_768, max: 32_767 })),
    field('u', fc.integer({ min: 0, max: 65_535 })),
    field('I', fc.integer()),
    field('i', fc.integer({ min: 0, max: 0xffff_ffff })),
    field('l', int64),
    field('L', uint64),
    field('T', uint64),
    field('f', float),
    field('d', fc.double({ noNaN: true })),
    field('D', fc.record({ scale: fc.nat(255), digits: fc.integer() })),
    field('S', octets),
    field('x', octets),
    field('V', fc.constant(null)),
    field('A', fc.array(tie('field'), { maxLength: 4 })),
    field('F', tie('table')),
  ),
}));

/** Field tables of all types, nested. */
export const table: fc.Arbitrary<FieldTable> = trees.table;

const VALUES: Readonly<Record<FieldType | keyof typeof ARGUMENT_TYPES, fc.Arbitrary<unknown>>> = {
  bit: fc.boolean(),
  octet: fc.nat(255),
  short: fc.nat(65_535),
  long: fc.nat(0x7fff_ffff),
  longlong: fc.maxSafeNat(),
  shortstr,
  longstr: octets,
  table,
  timestamp: uint64,
};

/** Any method with any arguments. */
export const method: fc.Arbitrary<{ name: MethodName; args: Record<string, unknown> }> = fc
  .constantFrom(...(Object.keys(METHODS) as MethodName[]))
  .chain((name) => {
    const fields = Object.entries(METHODS[name][2]) as Array<[string, FieldType]>;
    return fc.record({
      name: fc.constant(name),
      args: fc.record(Object.fromEntries(fields.map(([field, type]) => [field, VALUES[type]]))),
    });
  });

/** Any properties of a message. */
export const properties: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    contentType: shortstr,
    contentEncoding: shortstr,
    headers: table,
    deliveryMode: VALUES.octet,
    priority: VALUES.octet,
    correlationId: shortstr,
    replyTo: shortstr,
    expiration: shortstr,
    messageId: shortstr,
    timestamp: uint64,
    type: shortstr,
    userId: shortstr,
    appId: shortstr,
    clusterId: shortstr,
  },
  { requiredKeys: [] },
);
