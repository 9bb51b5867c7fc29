import { typeName, type Field, type FieldTable } from './amqp/field-table.js';
import { longstr, plain, sameValue } from './amqp/fields.js';
import { AmqpError } from './amqp/replies.js';

// Declaring what exists is harmless if it is declared the same way, and an error otherwise (specification, queue.declare,
// "equivalent"; https://www.rabbitmq.com/docs/queues#property-equivalence).

export interface Declared {
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

/** The arguments that RabbitMQ compares; others are ignored. */
export const QUEUE_ARGUMENTS = [
  'x-expires',
  'x-message-ttl',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-dead-letter-strategy',
  'x-delivery-limit',
  'x-max-length',
  'x-max-length-bytes',
  'x-max-priority',
  'x-overflow',
  'x-single-active-consumer',
  'x-queue-mode',
  'x-queue-version',
  'x-queue-type',
] as const;

export const EXCHANGE_ARGUMENTS = ['alternate-exchange'] as const;

/** Refuses a property whose value differs from the current one. */
export function checkSame(
  name: string,
  where: string,
  [received, current]: readonly [received: unknown, current: unknown],
): void {
  if (received !== current) refuse(name, where, `received '${String(received)}' but current is '${String(current)}'`);
}

export function checkSameArguments(
  names: readonly string[],
  where: string,
  [received, current]: readonly [FieldTable, FieldTable],
): void {
  for (const name of names) {
    const [a, b] = [received.get(name), current.get(name)];
    if (isSame(a ?? IMPLIED[name], b ?? IMPLIED[name])) continue;
    if (a !== undefined && b !== undefined)
      refuse(name, where, `received '${String(plain(a))}' but current is '${String(plain(b))}'`);
    refuse(name, where, `received ${described(a)} but current is ${described(b)}`);
  }
}

/** What it means to leave an argument out. */
const IMPLIED: Readonly<Record<string, Field>> = { 'x-queue-type': longstr('classic') };

function isSame(a: Field | undefined, b: Field | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameValue(a, b);
}

function described(field: Field | undefined): string {
  return field === undefined ? 'none' : `the value '${String(plain(field))}' of type '${typeName(field)}'`;
}

function refuse(name: string, where: string, difference: string): never {
  throw new AmqpError('PRECONDITION_FAILED', `inequivalent arg '${name}' for ${where}: ${difference}`);
}
