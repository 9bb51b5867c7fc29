import { ARGUMENT_TYPES, type ArgumentCodec, type ArgumentValues } from './argument-types.js';
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

/** The properties of a message, all optional. */
export type Properties = { -readonly [P in keyof typeof PROPERTIES]?: ArgumentValues[(typeof PROPERTIES)[P]] };

const LAYOUT = Object.entries(PROPERTIES).map(([name, type]) => ({
  name: name as keyof Properties,
  codec: ARGUMENT_TYPES[type] as ArgumentCodec<unknown>,
}));

// The broker itself looks at these only; the others pass through as octets.
const INSPECTED: ReadonlySet<keyof Properties> = new Set([
  'headers',
  'deliveryMode',
  'priority',
  'replyTo',
  'expiration',
  'userId',
]);

/** Reads flags and values. Without `only` it reads everything. */
export function readProperties(octets: Buffer, only?: ReadonlySet<keyof Properties>): Properties {
  const reader = new Reader(octets);
  const flags = reader.short();
  // The two lowest bits would announce more flag words, which class basic does not have.
  if ((flags & 3) !== 0) throw new AmqpError('SYNTAX_ERROR', 'unknown basic properties');
  const properties: Record<string, unknown> = {};
  for (let i = 0, bit = 0x8000; i < LAYOUT.length; i++, bit >>= 1) {
    if ((flags & bit) === 0) continue;
    const { name, codec } = LAYOUT[i] as (typeof LAYOUT)[number];
    if (only === undefined || only.has(name)) properties[name] = codec.read(reader);
    else codec.skip(reader);
  }
  return properties;
}

/** The properties that decide what the broker does with a message. */
export function inspectProperties(octets: Buffer): Properties {
  return readProperties(octets, INSPECTED);
}

export function encodeProperties(properties: Properties): Buffer {
  const writer = new Writer(SMALL_SLAB_SIZE);
  writer.short(LAYOUT.reduce((flags, { name }, i) => (properties[name] === undefined ? flags : flags | (0x8000 >> i)), 0));
  for (const { name, codec } of LAYOUT) if (properties[name] !== undefined) codec.write(writer, properties[name]);
  return writer.take();
}
