import { encodeTable, type FieldTable } from '../amqp/field-table.js';
import type { Exchange } from './exchange.js';

/** What an exchange can be bound to: a queue, or another exchange. */
export interface Destination {
  readonly kind: 'queue' | 'exchange';
  readonly name: string;
  readonly durable: boolean;
  /** The bindings that lead here. */
  readonly incoming: Set<Binding>;
}

export interface Binding {
  readonly source: Exchange;
  readonly destination: Destination;
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

/** Two bindings with the same source, destination, key and arguments are one. */
export function bindingIdentity(binding: Omit<Binding, 'source'>): string {
  const args = encodeTable(binding.arguments).toString('latin1');
  return [binding.destination.kind, binding.destination.name, binding.routingKey, args].join('\0');
}
