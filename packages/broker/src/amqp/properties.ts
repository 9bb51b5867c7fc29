import { readTable, writeTable, type FieldTable } from './field-table.js';
import { Reader } from './reader.js';
import { AmqpError } from './replies.js';
import { SMALL_SLAB_SIZE, Writer } from './writer.js';

// The properties of class basic, one line each, from the highest flag bit down (specification 4.2.6.1).
const PROPERTIES = {
  contentType: 'shortstr',
  contentEncoding: 'shortstr',
  headers: 'table',
  deliveryMode: 'octet',
  priority: 'octet',
  correlationId: 'shortstr',
  replyTo: 'shortstr',
  expiration: 'shortstr',
  messageId: 'shortstr',
  timestamp: 'timestamp',
  type: 'shortstr',
  userId: 'shortstr',
  appId: 'shortstr',
  clusterId: 'shortstr',
} as const;

interface PropertyValues {
  shortstr: string;
  table: FieldTable;
  octet: number;
  timestamp: bigint;
}

/** The properties of a message, all optional. */
export type Properties = { -readonly [P in keyof typeof PROPERTIES]?: PropertyValues[(typeof PROPERTIES)[P]] };

const LAYOUT = Object.entries(PROPERTIES) as Array<[keyof Properties, (typeof PROPERTIES)[keyof Properties]]>;

// The broker itself looks at these only; the others pass through as octets.
const INSPECTED: ReadonlySet<keyof Properties> = new Set(['headers', 'deliveryMode', 'priority', 'replyTo', 'expiration', 'userId']);

/** Reads flags and values. Without `only` it reads everything. */
export function readProperties(octets: Buffer, only?: ReadonlySet<keyof Properties>): Properties {
  const reader = new Reader(octets);
  const flags = reader.short();
  // The two lowest bits would announce more flag words, which class basic does not have.
  if ((flags & 3) !== 0) throw new AmqpError('SYNTAX_ERROR', 'unknown basic properties');
  const properties: Record<string, unknown> = {};
  for (let i = 0, bit = 0x8000; i < LAYOUT.length; i++, bit >>= 1) {
    if ((flags & bit) === 0) continue;
    const [name, type] = LAYOUT[i] as (typeof LAYOUT)[number];
    if (only === undefined || only.has(name)) properties[name] = readProperty(reader, type);
    else skipProperty(reader, type);
  }
  return properties;
}

/** The properties that decide what the broker does with a message. */
export function inspectProperties(octets: Buffer): Properties {
  return readProperties(octets, INSPECTED);
}

export function encodeProperties(properties: Properties): Buffer {
  const writer = new Writer(SMALL_SLAB_SIZE);
  const present = LAYOUT.map(([name]) => properties[name] !== undefined);
  writer.short(present.reduce((flags, is, i) => (is ? flags | (0x8000 >> i) : flags), 0));
  for (const [name, type] of LAYOUT) {
    const value = properties[name];
    if (value !== undefined) writeProperty(writer, type, value);
  }
  return writer.take();
}

type PropertyType = keyof PropertyValues;

function readProperty(reader: Reader, type: PropertyType): PropertyValues[PropertyType] {
  switch (type) {
    case 'shortstr':
      return reader.shortstr();
    case 'table':
      return readTable(reader);
    case 'octet':
      return reader.octet();
    case 'timestamp':
      return reader.timestamp();
  }
}

function skipProperty(reader: Reader, type: PropertyType): void {
  switch (type) {
    case 'shortstr':
      return reader.skip(reader.octet());
    case 'table':
      return reader.skip(reader.long());
    case 'octet':
      return reader.skip(1);
    case 'timestamp':
      return reader.skip(8);
  }
}

function writeProperty(writer: Writer, type: PropertyType, value: unknown): void {
  switch (type) {
    case 'shortstr':
      return writer.shortstr(value as string);
    case 'table':
      return writeTable(writer, value as FieldTable);
    case 'octet':
      return writer.octet(value as number);
    case 'timestamp':
      return writer.timestamp(value as bigint);
  }
}
