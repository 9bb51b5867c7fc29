import type { Reader } from './reader.js';
import { AmqpError } from './replies.js';
import { SMALL_SLAB_SIZE, Writer } from './writer.js';

// Field tables with the type tags that RabbitMQ uses (https://www.rabbitmq.com/amqp-0-9-1-errata, "Field types"). A value keeps
// its tag, so that a table is written back exactly as it was read: an int16 stays an int16.

export type FieldTable = Map<string, Field>;

export interface Decimal {
  readonly scale: number;
  readonly digits: number;
}

interface FieldValues {
  t: boolean;
  b: number;
  B: number;
  s: number;
  u: number;
  I: number;
  i: number;
  l: bigint;
  L: bigint;
  f: number;
  d: number;
  D: Decimal;
  S: Buffer;
  x: Buffer;
  A: readonly Field[];
  F: FieldTable;
  T: bigint;
  V: null;
}

export type FieldTag = keyof FieldValues;
export type Field = { [T in FieldTag]: { readonly type: T; readonly value: FieldValues[T] } }[FieldTag];

interface FieldType<T> {
  /** As RabbitMQ calls it in reply texts. */
  readonly name: string;
  read(reader: Reader, depth: number): T;
  write(writer: Writer, value: T): void;
}

// prettier-ignore
const FIELD_TYPES: { readonly [T in FieldTag]: FieldType<FieldValues[T]> } = {
  t: { name: 'bool', read: (reader) => reader.octet() !== 0, write: (writer, value) => writer.octet(value ? 1 : 0) },
  b: { name: 'byte', read: (reader) => reader.int8(), write: (writer, value) => writer.int8(value) },
  B: { name: 'unsignedbyte', read: (reader) => reader.octet(), write: (writer, value) => writer.octet(value) },
  s: { name: 'short', read: (reader) => reader.int16(), write: (writer, value) => writer.int16(value) },
  u: { name: 'unsignedshort', read: (reader) => reader.short(), write: (writer, value) => writer.short(value) },
  I: { name: 'signedint', read: (reader) => reader.int32(), write: (writer, value) => writer.int32(value) },
  i: { name: 'unsignedint', read: (reader) => reader.long(), write: (writer, value) => writer.long(value) },
  l: { name: 'long', read: (reader) => reader.int64(), write: (writer, value) => writer.int64(value) },
  L: { name: 'unsignedlong', read: (reader) => reader.timestamp(), write: (writer, value) => writer.timestamp(value) },
  f: { name: 'float', read: (reader) => reader.float(), write: (writer, value) => writer.float(value) },
  d: { name: 'double', read: (reader) => reader.double(), write: (writer, value) => writer.double(value) },
  D: { name: 'decimal', read: readDecimal, write: writeDecimal },
  S: { name: 'longstr', read: (reader) => reader.longstr(), write: (writer, value) => writer.longstr(value) },
  x: { name: 'binary', read: (reader) => reader.longstr(), write: (writer, value) => writer.longstr(value) },
  A: { name: 'array', read: readArray, write: writeArray },
  F: { name: 'table', read: (reader, depth) => readTable(reader, depth), write: (writer, value) => writeTable(writer, value) },
  T: { name: 'timestamp', read: (reader) => reader.timestamp(), write: (writer, value) => writer.timestamp(value) },
  V: { name: 'void', read: () => null, write: () => {} },
};

// Deeper tables than this have no use and would exhaust the stack.
const MAX_DEPTH = 64;

/** RabbitMQ's name of a field's type. */
export function typeName({ type }: Field): string {
  return FIELD_TYPES[type].name;
}

export function readTable(reader: Reader, depth = 0): FieldTable {
  const inner = enter(reader, depth);
  const table: FieldTable = new Map();
  while (inner.remaining > 0) table.set(inner.shortstr(), readField(inner, depth));
  return table;
}

export function writeTable(writer: Writer, table: FieldTable): void {
  writer.sized(() => {
    for (const [name, field] of table) {
      writer.shortstr(name);
      writeField(writer, field);
    }
  });
}

/** The octets of a table as they are written on the wire. */
export function encodeTable(table: FieldTable): Buffer {
  const writer = new Writer(SMALL_SLAB_SIZE);
  writeTable(writer, table);
  return writer.take();
}

function readField(reader: Reader, depth: number): Field {
  const tag = String.fromCharCode(reader.octet());
  if (!Object.hasOwn(FIELD_TYPES, tag)) throw new AmqpError('SYNTAX_ERROR', `unknown field type '${tag}'`);
  const type = tag as FieldTag;
  return { type, value: FIELD_TYPES[type].read(reader, depth + 1) } as Field;
}

function writeField(writer: Writer, { type, value }: Field): void {
  writer.octet(type.charCodeAt(0));
  (FIELD_TYPES[type] as FieldType<typeof value>).write(writer, value);
}

function readArray(reader: Reader, depth: number): Field[] {
  const inner = enter(reader, depth);
  const array: Field[] = [];
  while (inner.remaining > 0) array.push(readField(inner, depth));
  return array;
}

function writeArray(writer: Writer, array: readonly Field[]): void {
  writer.sized(() => array.forEach((field) => writeField(writer, field)));
}

function readDecimal(reader: Reader): Decimal {
  return { scale: reader.octet(), digits: reader.int32() };
}

function writeDecimal(writer: Writer, { scale, digits }: Decimal): void {
  writer.octet(scale);
  writer.int32(digits);
}

function enter(reader: Reader, depth: number): Reader {
  if (depth > MAX_DEPTH) throw new AmqpError('SYNTAX_ERROR', `field tables nested deeper than ${MAX_DEPTH}`);
  return reader.part(reader.long());
}
