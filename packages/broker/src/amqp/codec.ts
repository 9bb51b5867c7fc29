import { ARGUMENT_TYPES, type ArgumentCodec, type ArgumentValues } from './argument-types.js';
import { METHODS, type FieldType, type MethodName, type Methods } from './methods.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

// Reads and writes methods as the table in methods.ts describes them.

type FieldValues = ArgumentValues & { bit: boolean };
type Reserved = 'reserved1' | 'reserved2';

/** The arguments of a method: its fields without the reserved ones. */
export type Arguments<M extends MethodName> = {
  readonly [F in Exclude<keyof Methods[M][2], Reserved>]: Methods[M][2][F] extends FieldType
    ? FieldValues[Methods[M][2][F]]
    : never;
};

/** A method that was read, with its name to tell which arguments it has. */
export type Method = { [M in MethodName]: { readonly name: M; readonly args: Arguments<M> } }[MethodName];

interface FieldLayout {
  readonly name: string;
  /** Absent for a bit. */
  readonly codec: ArgumentCodec<unknown> | undefined;
  /** What is written for a reserved field. */
  readonly reserved: unknown;
}

interface Layout {
  readonly name: MethodName;
  readonly classId: number;
  readonly methodId: number;
  readonly fields: readonly FieldLayout[];
}

const RESERVED_VALUES: Readonly<Partial<Record<FieldType, unknown>>> = { short: 0, shortstr: '', longstr: Buffer.alloc(0) };

const LAYOUTS = new Map<MethodName, Layout>();
const LAYOUTS_BY_ID = new Map<number, Layout>();
for (const [method, [classId, methodId, fields]] of Object.entries(METHODS)) {
  const layout = { name: method as MethodName, classId, methodId, fields: Object.entries(fields).map(fieldLayout) };
  LAYOUTS.set(layout.name, layout);
  LAYOUTS_BY_ID.set(classId * 0x1_0000 + methodId, layout);
}

function fieldLayout([name, type]: [string, FieldType]): FieldLayout {
  const codec = type === 'bit' ? undefined : (ARGUMENT_TYPES[type] as ArgumentCodec<unknown>);
  return { name, codec, reserved: RESERVED_VALUES[type] };
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
  // Consecutive bits share octets, lowest bit first (specification 4.2.5.2).
  let bits = 0;
  let bit = 0x100;
  for (const { name, codec } of layout.fields) {
    if (codec !== undefined) {
      bit = 0x100;
      args[name] = codec.read(reader);
      continue;
    }
    if (bit === 0x100) {
      bits = reader.octet();
      bit = 1;
    }
    args[name] = (bits & bit) !== 0;
    bit <<= 1;
  }
  return { name: layout.name, args } as unknown as Method;
}

/** Writes a method frame's payload. Reserved fields are written as zero. */
export function writeMethod<M extends MethodName>(writer: Writer, method: M, args: Arguments<M>): void {
  const { classId, methodId, fields } = LAYOUTS.get(method) as Layout;
  const values = args as Readonly<Record<string, unknown>>;
  writer.short(classId);
  writer.short(methodId);
  let bits = 0;
  let bit = 1;
  for (const { name, codec, reserved } of fields) {
    if (codec === undefined) {
      if (values[name] === true) bits |= bit;
      bit <<= 1;
      continue;
    }
    if (bit > 1) writer.octet(bits);
    bits = 0;
    bit = 1;
    codec.write(writer, values[name] ?? reserved);
  }
  if (bit > 1) writer.octet(bits);
}
