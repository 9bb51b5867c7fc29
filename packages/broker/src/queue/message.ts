import { inspectProperties, type Properties } from '../amqp/properties.js';
import type { FieldTable } from '../amqp/field-table.js';
import type { Content } from '../amqp/frame-writer.js';
import type { Memory } from '../memory.js';

// What a message costs besides its content: the objects that hold it. Measured with a million of them.
const OVERHEAD = 440;

const NO_HEADERS: FieldTable = new Map();
const NO_KEYS: readonly string[] = [];

export interface Envelope {
  readonly exchange: string;
  readonly routingKey: string;
  /** More routing keys, from the CC and BCC headers. */
  readonly copies?: readonly string[];
  /** The x-death header was written by this broker. */
  readonly deadLettered?: boolean;
}

/** A published message, shared by all queues that hold it. Its content never changes. */
export class Message implements Content {
  readonly exchange: string;
  readonly routingKey: string;
  readonly copies: readonly string[];
  readonly deadLettered: boolean;
  readonly content: Buffer;
  readonly bodyStart: number;
  readonly persistent: boolean;
  readonly priority: number;
  /** Milliseconds to live; undefined is for ever. */
  readonly ttl: number | undefined;
  #holders = 0;

  constructor(envelope: Envelope, { content, bodyStart }: Content, properties: Properties) {
    this.exchange = envelope.exchange;
    this.routingKey = envelope.routingKey;
    this.copies = envelope.copies ?? NO_KEYS;
    this.deadLettered = envelope.deadLettered ?? false;
    this.content = content;
    this.bodyStart = bodyStart;
    this.persistent = properties.deliveryMode === 2;
    this.priority = properties.priority ?? 0;
    this.ttl = properties.expiration === undefined ? undefined : Number(properties.expiration);
  }

  get bodySize(): number {
    return this.content.length - this.bodyStart;
  }

  get routingKeys(): readonly string[] {
    return this.copies.length === 0 ? [this.routingKey] : [this.routingKey, ...this.copies];
  }

  get propertyOctets(): Buffer {
    return this.content.subarray(0, this.bodyStart);
  }

  /** Read anew each time: few messages are asked for them. */
  headers(): FieldTable {
    return inspectProperties(this.propertyOctets).headers ?? NO_HEADERS;
  }

  /** A queue holds this message from now on; it counts once, however many queues do. */
  hold(memory: Memory): void {
    if (this.#holders++ === 0) memory.take(this.content.length + OVERHEAD);
  }

  letGo(memory: Memory): void {
    if (--this.#holders === 0) memory.release(this.content.length + OVERHEAD);
  }
}

/** The same body under other properties. */
export function replaceProperties(message: Content, properties: Buffer): Content {
  return { content: Buffer.concat([properties, message.content.subarray(message.bodyStart)]), bodyStart: properties.length };
}
