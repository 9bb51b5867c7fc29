import { createHash } from 'node:crypto';
import { encodeTable, readTable, type FieldTable } from '../amqp/field-table.js';
import { Reader } from '../amqp/reader.js';
import type { Queue } from '../queue/queue.js';
import { bindingIdentity, type Binding, type Destination } from '../routing/binding.js';
import type { Exchange, ExchangeType } from '../routing/exchange.js';

// How durable queues, exchanges and bindings are written: as JSON, with tables as their octets in base64.

export interface QueueRecord {
  readonly kind: 'queue';
  readonly id: number;
  readonly vhost: string;
  readonly name: string;
  readonly autoDelete: boolean;
  readonly arguments: string;
}

export interface ExchangeRecord {
  readonly kind: 'exchange';
  readonly vhost: string;
  readonly name: string;
  readonly type: ExchangeType;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: string;
}

export interface BindingRecord {
  readonly kind: 'binding';
  readonly vhost: string;
  readonly source: string;
  readonly destination: Pick<Destination, 'kind' | 'name'>;
  readonly routingKey: string;
  readonly arguments: string;
}

export type DefinitionRecord = QueueRecord | ExchangeRecord | BindingRecord;

export function queueRecord({ id, vhost, name, autoDelete, arguments: args }: Queue): QueueRecord {
  return { kind: 'queue', id, vhost, name, autoDelete, arguments: packTable(args) };
}

export function exchangeRecord(vhost: string, { name, type, autoDelete, internal, arguments: args }: Exchange): ExchangeRecord {
  return { kind: 'exchange', vhost, name, type, autoDelete, internal, arguments: packTable(args) };
}

export function bindingRecord(vhost: string, { source, destination, routingKey, arguments: args }: Binding): BindingRecord {
  const { kind, name } = destination;
  return { kind: 'binding', vhost, source: source.name, destination: { kind, name }, routingKey, arguments: packTable(args) };
}

export function queueKey({ id }: Pick<Queue, 'id'>): string {
  return `queue/${id}`;
}

export function exchangeKey(vhost: string, { name }: Pick<Exchange, 'name'>): string {
  return `exchange/${digest(vhost, name)}`;
}

export function bindingKey(vhost: string, binding: Binding): string {
  return `binding/${digest(vhost, binding.source.name, bindingIdentity(binding))}`;
}

export function unpackTable(packed: string): FieldTable {
  return readTable(new Reader(Buffer.from(packed, 'base64')));
}

function packTable(table: FieldTable): string {
  return encodeTable(table).toString('base64');
}

/** Names and arguments can be longer than a key may be. */
function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url');
}
