import type { Field, FieldTable } from '../amqp/field-table.js';
import { array, integerOf, long, longstr, textOf } from '../amqp/fields.js';
import { encodeProperties, readProperties } from '../amqp/properties.js';
import type { Behaviour } from '../compat.js';
import { Message, replaceProperties } from './message.js';

// The history that a dead letter carries in its headers (https://www.rabbitmq.com/docs/dlx#effects).

export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

export interface Death {
  readonly queue: string;
  readonly reason: DeathReason;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly exchange: string;
  /** Replaces the message's own routing keys. */
  readonly routingKey: string | undefined;
}

/** The message as it goes to the dead-letter exchange. */
export function deadLetter(message: Message, death: Death, behaviour: Behaviour): Message {
  const properties = readProperties(message.propertyOctets);
  const headers: FieldTable = new Map(properties.headers);
  headers.set('x-death', array(deaths(message, { death, behaviour, expiration: properties.expiration })));
  noteDeath(headers, 'x-first-death', { death, message, replace: false });
  if (behaviour.lastDeathHeaders) noteDeath(headers, 'x-last-death', { death, message, replace: true });
  headers.delete('x-delivery-count');
  headers.delete('x-acquired-count');
  if (death.routingKey !== undefined) headers.delete('CC');
  // Without its expiration, the next queue's own TTL decides.
  const { expiration: _expired, ...kept } = properties;
  const content = replaceProperties(message, encodeProperties({ ...kept, headers }));
  const keys = death.routingKey === undefined ? message : { routingKey: death.routingKey, copies: [] };
  const envelope = { exchange: death.exchange, routingKey: keys.routingKey, copies: keys.copies, deadLettered: true };
  return new Message(envelope, content, kept);
}

/** Entries that can be believed: those of this broker, and in RabbitMQ 3.x also those that a client published. */
export function deathsOf(message: Message, behaviour: Behaviour): readonly FieldTable[] {
  if (!message.deadLettered && !behaviour.trustsPublishedDeaths) return [];
  const field = message.headers().get('x-death');
  return field?.type === 'A' ? field.value.flatMap((item) => (item.type === 'F' ? [item.value] : [])) : [];
}

/** A message that went round without anybody rejecting it would go round for ever (rabbit_dead_letter, is_cycle). */
export function isCycle(queue: string, entries: readonly FieldTable[]): boolean {
  const first = entries.findIndex((entry) => textOf(entry.get('queue')) === queue);
  return first >= 0 && entries.slice(0, first + 1).every((entry) => textOf(entry.get('reason')) !== 'rejected');
}

interface DeathContext {
  readonly death: Death;
  readonly behaviour: Behaviour;
  readonly expiration: string | undefined;
}

/** One entry per queue and reason, the latest death first. */
function deaths(message: Message, { death, behaviour, expiration }: DeathContext): Field[] {
  const earlier = deathsOf(message, behaviour);
  const same = (entry: FieldTable): boolean =>
    textOf(entry.get('queue')) === death.queue && textOf(entry.get('reason')) === death.reason;
  const again = earlier.find(same);
  const latest = again === undefined ? firstDeath(message, death, expiration) : new Map(again);
  if (again !== undefined) latest.set('count', long((integerOf(again.get('count')) ?? 0) + 1));
  const others = earlier.filter((entry) => entry !== again);
  return [latest, ...others].map((value) => ({ type: 'F', value }));
}

function firstDeath(message: Message, { queue, reason, time }: Death, expiration: string | undefined): FieldTable {
  const entry: FieldTable = new Map<string, Field>([
    ['count', long(1)],
    ['reason', longstr(reason)],
    ['queue', longstr(queue)],
    ['time', { type: 'T', value: BigInt(Math.floor(time / 1000)) }],
    ['exchange', longstr(message.exchange)],
    ['routing-keys', array(message.routingKeys.map(longstr))],
  ]);
  if (expiration !== undefined) entry.set('original-expiration', longstr(expiration));
  return entry;
}

interface Note {
  readonly death: Death;
  readonly message: Message;
  readonly replace: boolean;
}

function noteDeath(headers: FieldTable, prefix: string, { death, message, replace }: Note): void {
  if (!replace && headers.has(`${prefix}-reason`)) return;
  headers.set(`${prefix}-exchange`, longstr(message.exchange));
  headers.set(`${prefix}-queue`, longstr(death.queue));
  headers.set(`${prefix}-reason`, longstr(death.reason));
}
