import { Reader } from './reader.js';
import { AmqpError } from './replies.js';
import { SMALL_SLAB_SIZE, Writer } from './writer.js';

// Field tables with the type tags that RabbitMQ uses (https://www.rabbitmq.com/amqp-0-9-1-errata, "Field types"). A value keeps
// its tag, so that a table is written back exactly as it was read: an int16 stays an int16.

export type FieldTable = Map<string, Field>;

export type Field =
  | { readonly type: 't'; readonly value: boolean }
  | { readonly type: 'b' | 'B' | 's' | 'u' | 'I' | 'i' | 'f' | 'd'; readonly value: number }
  | { readonly type: 'l' | 'L' | 'T'; readonly value: bigint }
  | { readonly type: 'S' | 'x'; readonly value: Buffer }
  | { readonly type: 'D'; readonly value: { readonly scale: number; readonly digits: number } }
  | { readonly type: 'A'; readonly value: readonly Field[] }
  | { readonly type: 'F'; readonly value: FieldTable }
  | { readonly type: 'V'; readonly value: null };

/** RabbitMQ's names of the types, as they appear in its reply texts. */
export const FIELD_TYPE_NAMES: Readonly<Record<Field['type'], string>> = {
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  L: 'unsignedlong',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'longstr',
  x: 'binary',
  A: 'array',
  F: 'table',
  T: 'timestamp',
  V: 'void',
};

// Deeper tables than this have no use and would exhaust the stack.
const MAX_DEPTH = 64;

export function readTable(reader: Reader, depth = 0): FieldTable {
  const inner = enter(reader, depth);
  const table: FieldTable = new Map();
  while (inner.remaining > 0) table.set(inner.shortstr(), readField(inner, depth));
  return table;
}

function readArray(reader: Reader, depth: number): Field[] {
  const inner = enter(reader, depth);
  const array: Field[] = [];
  while (inner.remaining > 0) array.push(readField(inner, depth));
  return array;
}

function enter(reader: Reader, depth: number): Reader {
  if (depth > MAX_DEPTH) throw new AmqpError('SYNTAX_ERROR', `field tables nested deeper than ${MAX_DEPTH}`);
  return new Reader(reader.longstr());
}

// eslint-disable-next-line complexity -- one line per field type
function readField(reader: Reader, depth: number): Field {
  const type = String.fromCharCode(reader.octet()) as Field['type'];
  switch (type) {
    case 't':
      return { type, value: reader.octet() !== 0 };
    case 'b':
      return { type, value: reader.int8() };
    case 'B':
      return { type, value: reader.octet() };
    case 's':
      return { type, value: reader.int16() };
    case 'u':
      return { type, value: reader.short() };
    case 'I':
      return { type, value: reader.int32() };
    case 'i':
      return { type, value: reader.long() };
    case 'l':
      return { type, value: reader.int64() };
    case 'L':
    case 'T':
      return { type, value: reader.timestamp() };
    case 'f':
      return { type, value: reader.float() };
    case 'd':
      return { type, value: reader.double() };
    case 'D':
      return { type, value: { scale: reader.octet(), digits: reader.int32() } };
    case 'S':
    case 'x':
      return { type, value: reader.longstr() };
    case 'A':
      return { type, value: readArray(reader, depth + 1) };
    case 'F':
      return { type, value: readTable(reader, depth + 1) };
    case 'V':
      return { type, value: null };
    default:
      throw new AmqpError('SYNTAX_ERROR', `unknown field type '${type as string}'`);
  }
}

export function writeTable(writer: Writer, table: FieldTable): void {
  writer.sized(() => {
    for (const [name, field] of table) {
      writer.shortstr(name);
      writeField(writer, field);
    }
  });
}

// eslint-disable-next-line complexity -- one line per field type
function writeField(writer: Writer, field: Field): void {
  writer.octet(field.type.charCodeAt(0));
  switch (field.type) {
    case 't':
      return writer.octet(field.value ? 1 : 0);
    case 'b':
      return writer.int8(field.value);
    case 'B':
      return writer.octet(field.value);
    case 's':
      return writer.int16(field.value);
    case 'u':
      return writer.short(field.value);
    case 'I':
      return writer.int32(field.value);
    case 'i':
      return writer.long(field.value);
    case 'l':
      return writer.int64(field.value);
    case 'L':
    case 'T':
      return writer.timestamp(field.value);
    case 'f':
      return writer.float(field.value);
    case 'd':
      return writer.double(field.value);
    case 'D':
      writer.octet(field.value.scale);
      return writer.int32(field.value.digits);
    case 'S':
    case 'x':
      return writer.longstr(field.value);
    case 'A':
      writer.sized(() => field.value.forEach((item) => writeField(writer, item)));
      return undefined;
    case 'F':
      return writeTable(writer, field.value);
    case 'V':
      return undefined;
  }
}

/** The octets of a table as they are written on the wire. */
export function encodeTable(table: FieldTable): Buffer {
  const writer = new Writer(SMALL_SLAB_SIZE);
  writeTable(writer, table);
  return writer.take();
}
