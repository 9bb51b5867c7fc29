import { readTable, writeTable, type FieldTable } from './field-table.js';
import { METHODS, type FieldType, type MethodName, type Methods } from './methods.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

// Reads and writes methods as the table in methods.ts describes them.

interface FieldValues {
  octet: number;
  short: number;
  long: number;
  longlong: number;
  shortstr: string;
  longstr: Buffer;
  table: FieldTable;
  bit: boolean;
}

type Reserved = 'reserved1' | 'reserved2';

/** The arguments of a method: its fields without the reserved ones. */
export type Arguments<M extends MethodName> = {
  readonly [F in Exclude<keyof Methods[M][2], Reserved>]: Methods[M][2][F] extends FieldType ? FieldValues[Methods[M][2][F]] : never;
};

/** A method that was read, with its name to tell which arguments it has. */
export type Method = { [M in MethodName]: { readonly name: M; readonly args: Arguments<M> } }[MethodName];

interface Layout {
  readonly name: MethodName;
  readonly classId: number;
  readonly methodId: number;
  readonly fields: ReadonlyArray<readonly [name: string, type: FieldType]>;
}

const LAYOUTS = new Map<MethodName, Layout>();
const LAYOUTS_BY_ID = new Map<number, Layout>();
for (const [name, [classId, methodId, fields]] of Object.entries(METHODS)) {
  const layout = { name: name as MethodName, classId, methodId, fields: Object.entries(fields) as Array<[string, FieldType]> };
  LAYOUTS.set(layout.name, layout);
  LAYOUTS_BY_ID.set(classId * 0x1_0000 + methodId, layout);
}

/** The class and method numbers of a method. */
export function methodIds(name: MethodName): { classId: number; methodId: number } {
  const { classId, methodId } = LAYOUTS.get(name) as Layout;
  return { classId, methodId };
}

/** Reads a method frame's payload; undefined when there is no such method. */
export function readMethod(reader: Reader): Method | undefined {
  const layout = LAYOUTS_BY_ID.get(reader.long());
  if (layout === undefined) return undefined;
  const args: Record<string, unknown> = {};
  let bits = 0;
  let bit = 8;
  for (const [name, type] of layout.fields) {
    if (type !== 'bit') {
      bit = 8;
      args[name] = readValue(reader, type);
      continue;
    }
    // Consecutive bits share octets, lowest bit first (specification 4.2.5.2).
    if (bit === 8) {
      bits = reader.octet();
      bit = 0;
    }
    args[name] = (bits & (1 << bit++)) !== 0;
  }
  return { name: layout.name, args } as unknown as Method;
}

/** Writes a method frame's payload. Reserved fields are written as zero. */
export function writeMethod<M extends MethodName>(writer: Writer, name: M, args: Arguments<M>): void {
  const { classId, methodId, fields } = LAYOUTS.get(name) as Layout;
  const values = args as Readonly<Record<string, unknown>>;
  writer.short(classId);
  writer.short(methodId);
  let bits = 0;
  let bit = 0;
  for (const [field, type] of fields) {
    if (type === 'bit') {
      if (values[field] === true) bits |= 1 << bit;
      bit++;
      continue;
    }
    if (bit > 0) {
      writer.octet(bits);
      bits = 0;
      bit = 0;
    }
    writeValue(writer, type, values[field]);
  }
  if (bit > 0) writer.octet(bits);
}

function readValue(reader: Reader, type: Exclude<FieldType, 'bit'>): FieldValues[FieldType] {
  switch (type) {
    case 'octet':
      return reader.octet();
    case 'short':
      return reader.short();
    case 'long':
      return reader.long();
    case 'longlong':
      return reader.longlong();
    case 'shortstr':
      return reader.shortstr();
    case 'longstr':
      return reader.longstr();
    case 'table':
      return readTable(reader);
  }
}

const EMPTY = Buffer.alloc(0);

function writeValue(writer: Writer, type: Exclude<FieldType, 'bit'>, value: unknown): void {
  switch (type) {
    case 'octet':
      return writer.octet((value as number | undefined) ?? 0);
    case 'short':
      return writer.short((value as number | undefined) ?? 0);
    case 'long':
      return writer.long(value as number);
    case 'longlong':
      return writer.longlong(value as number);
    case 'shortstr':
      return writer.shortstr((value as string | undefined) ?? '');
    case 'longstr':
      return writer.longstr((value as Buffer | undefined) ?? EMPTY);
    case 'table':
      return writeTable(writer, value as FieldTable);
  }
}
