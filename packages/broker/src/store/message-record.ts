import { inspectProperties } from '../amqp/properties.js';
import { Reader } from '../amqp/reader.js';
import { SMALL_SLAB_SIZE, Writer } from '../amqp/writer.js';
import { Message } from '../queue/message.js';
import type { QueuedMessage } from '../queue/ready-list.js';

// How a message in a queue is written: under the queue's number and its place in the queue, so that a scan gives them in order.

const KEY_LENGTH = 12;

// Contents from this size on are written as they lie in memory, in a database of their own, instead of being copied into the record.
const APART = 16 * 1024;

/** Its content is not in its record but beside it, under the same key. */
export function isApart({ content }: Message): boolean {
  return content.length >= APART;
}

export function messageKey(queueId: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_LENGTH);
  key.writeUInt32BE(queueId, 0);
  key.writeBigUInt64BE(BigInt(sequence), 4);
  return key;
}

export function readMessageKey(key: Buffer): { queueId: number; sequence: number } {
  return { queueId: key.readUInt32BE(0), sequence: Number(key.readBigUInt64BE(4)) };
}

export function encodeMessage({ message, expiresAt }: QueuedMessage): Buffer {
  const writer = new Writer(SMALL_SLAB_SIZE);
  writer.double(expiresAt);
  writer.octet(message.deadLettered ? 1 : 0);
  writer.shortstr(message.exchange);
  writer.shortstr(message.routingKey);
  writer.short(message.copies.length);
  for (const key of message.copies) writer.shortstr(key);
  writer.long(message.bodyStart);
  return isApart(message) ? writer.take() : Buffer.concat([writer.take(), message.content]);
}

export interface StoredMessage {
  readonly message: Message;
  readonly expiresAt: number;
}

/** `apart` gives the content that is not in the record. */
export function decodeMessage(octets: Buffer, apart: () => Buffer | undefined): StoredMessage {
  const reader = new Reader(octets);
  const expiresAt = reader.double();
  const deadLettered = reader.octet() === 1;
  const [exchange, routingKey] = [reader.shortstr(), reader.shortstr()];
  const copies = Array.from({ length: reader.short() }, () => reader.shortstr());
  const bodyStart = reader.long();
  // A copy of its own: the octets belong to the store's memory map.
  const content = Buffer.from(reader.remaining > 0 ? reader.bytes(reader.remaining) : (apart() ?? []));
  const properties = inspectProperties(content.subarray(0, bodyStart));
  return { message: new Message({ exchange, routingKey, copies, deadLettered }, { content, bodyStart }, properties), expiresAt };
}
