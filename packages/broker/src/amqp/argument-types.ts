import { readTable, writeTable, type FieldTable } from './field-table.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

// The types of method arguments and message properties (specification 4.2.5). Bits are packed, and so not among them.

export interface ArgumentValues {
  octet: number;
  short: number;
  long: number;
  longlong: number;
  shortstr: string;
  longstr: Buffer;
  table: FieldTable;
  timestamp: bigint;
}

export type ArgumentType = keyof ArgumentValues;

export interface ArgumentCodec<T> {
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
  skip(reader: Reader): void;
}

// prettier-ignore
export const ARGUMENT_TYPES: { readonly [T in ArgumentType]: ArgumentCodec<ArgumentValues[T]> } = {
  octet: { read: (reader) => reader.octet(), write: (writer, value) => writer.octet(value), skip: (reader) => reader.skip(1) },
  short: { read: (reader) => reader.short(), write: (writer, value) => writer.short(value), skip: (reader) => reader.skip(2) },
  long: { read: (reader) => reader.long(), write: (writer, value) => writer.long(value), skip: (reader) => reader.skip(4) },
  longlong: { read: (reader) => reader.longlong(), write: (writer, value) => writer.longlong(value), skip: (reader) => reader.skip(8) },
  shortstr: { read: (reader) => reader.shortstr(), write: (writer, value) => writer.shortstr(value), skip: (reader) => reader.skip(reader.octet()) },
  longstr: { read: (reader) => reader.longstr(), write: (writer, value) => writer.longstr(value), skip: (reader) => reader.skip(reader.long()) },
  table: { read: (reader) => readTable(reader), write: (writer, value) => writeTable(writer, value), skip: (reader) => reader.skip(reader.long()) },
  timestamp: { read: (reader) => reader.timestamp(), write: (writer, value) => writer.timestamp(value), skip: (reader) => reader.skip(8) },
};
