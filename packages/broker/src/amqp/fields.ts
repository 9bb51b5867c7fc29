import type { Field, FieldTable } from './field-table.js';

// Making, reading and comparing field values.

export function longstr(text: string): Field {
  return { type: 'S', value: Buffer.from(text) };
}

export function long(value: number): Field {
  return { type: 'l', value: BigInt(value) };
}

export function bool(value: boolean): Field {
  return { type: 't', value };
}

export function array(items: readonly Field[]): Field {
  return { type: 'A', value: items };
}

/** The text of a string field; undefined for anything else. */
export function textOf(field: Field | undefined): string | undefined {
  return field?.type === 'S' ? field.value.toString() : undefined;
}

/** The number in an integer field of any width; undefined for anything else. */
export function integerOf(field: Field | undefined): number | undefined {
  if (field === undefined || !'bBsuIilL'.includes(field.type)) return undefined;
  return Number(field.value);
}

/** Equal by value: integers of different width with the same value are equal, as they are for RabbitMQ. */
export function sameValue(a: Field, b: Field): boolean {
  if (a.type === 'F' && b.type === 'F') return sameTable(a.value, b.value);
  if (a.type === 'A' && b.type === 'A')
    return a.value.length === b.value.length && a.value.every((item, i) => sameValue(item, b.value[i] as Field));
  if (a.type === 'D' && b.type === 'D') return a.value.scale === b.value.scale && a.value.digits === b.value.digits;
  if (Buffer.isBuffer(a.value) && Buffer.isBuffer(b.value)) return a.value.equals(b.value);
  // eslint-disable-next-line eqeqeq -- 1n == 1
  return isNumeric(a) && isNumeric(b) ? a.value == b.value : a.value === b.value;
}

export function sameTable(a: FieldTable, b: FieldTable): boolean {
  return a.size === b.size && [...a].every(([name, field]) => b.has(name) && sameValue(field, b.get(name) as Field));
}

function isNumeric(field: Field): boolean {
  return typeof field.value === 'number' || typeof field.value === 'bigint';
}

/** A field as plain JSON, for people: the management pages, snapshots, reply texts. */
export function plain(field: Field): unknown {
  if (field.type === 'A') return field.value.map(plain);
  if (field.type === 'F') return plainTable(field.value);
  if (field.type === 'S') return field.value.toString();
  if (field.type === 'x') return field.value.toString('base64');
  if (field.type === 'D') return field.value.digits / 10 ** field.value.scale;
  return typeof field.value === 'bigint' ? Number(field.value) : field.value;
}

export function plainTable(table: FieldTable): Record<string, unknown> {
  return Object.fromEntries([...table].map(([name, field]) => [name, plain(field)]));
}
