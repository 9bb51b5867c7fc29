// The exchanges and queues that hold messages. Queue arguments cannot be changed: another layout gets another version word.
import type { Queue, Topology } from '@warren/core';
import { patternOf, SENTINEL } from './address.js';
import type { Target } from './address.js';
import { LEVELS } from './levels.js';
import { settingsOf } from './options.js';
import type { DelayOptions } from './options.js';

const VERSION = 'v1';

/**
 * Expiry is the millisecond that a message came in, rounded down, plus the TTL: without one more it could be up to a
 * millisecond early (rabbitmq-server, rabbit_fifo.erl).
 */
const GUARD = 1;

/** Each look at an undeliverable message counts as a delivery: in effect no limit. */
const NO_DELIVERY_LIMIT = 1_000_000_000;

/** A queue in which messages wait, for `ms` milliseconds each. */
export interface LevelQueue {
  readonly queue: string;
  readonly exchange: string;
  readonly digit: number;
  readonly ms: number;
}

/** The names of all that plugin-delay declares, for those who watch it. */
export interface DelayTopology {
  /** One topic exchange for each level, most significant first. */
  readonly levels: readonly string[];
  readonly queues: readonly LevelQueue[];
  /** The topic exchange that brings messages to their targets when their time has come. */
  readonly deliver: string;
  /** The fanout exchange, and its queue, of messages whose target had gone when their time came. */
  readonly unroutable: string;
}

/** The queue of messages whose target had gone when their time came, with the default prefix. */
export const UNROUTABLE = 'delay.v1.unroutable';

/** Names what plugin-delay declares with these options. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export function delayTopology(options: DelayOptions = {}): DelayTopology {
  const base = baseOf(options);
  const levels = LEVELS.map((_, index) => `${base}.L${String(index).padStart(2, '0')}`);
  const queues = LEVELS.flatMap(({ unit, max }, index) =>
    Array.from({ length: max }, (_, i) => ({
      queue: `${levels[index]}.${i + 1}`,
      exchange: levels[index] as string,
      digit: i + 1,
      ms: (i + 1) * unit,
    })),
  );
  return { levels, queues, deliver: `${base}.deliver`, unroutable: `${base}.unroutable` };
}

/** Adds all of it to a worker's topology. */
export function declareDelays(topology: Topology, options: Required<DelayOptions>): void {
  const { levels, queues, deliver, unroutable } = delayTopology(options);
  // Whatever has lost its target leaves its level by the alternate exchange: 32 messages without a way out would hold up a whole level.
  const safe = { arguments: { 'alternate-exchange': unroutable } };
  topology
    .exchange(unroutable, 'fanout')
    .queue(holding(unroutable, unroutableArguments(options)))
    .bindQueue(unroutable, unroutable);
  for (const name of [...levels, deliver]) topology.exchange(name, 'topic', safe);
  const after = (index: number): string => levels[index + 1] ?? deliver;
  levels.forEach((name, index) => topology.bindExchange(after(index), name, digitPattern(index, 0)));
  for (const { queue, exchange, digit, ms } of queues) {
    const index = levels.indexOf(exchange);
    topology.queue(holding(queue, expiringArguments(options, { ttl: ms + GUARD, to: after(index) })));
    topology.bindQueue(queue, exchange, digitPattern(index, digit));
  }
}

/** Lets messages for `target` out of the last level. */
export function bindTarget(topology: Topology, target: Target, options: Required<DelayOptions>): void {
  const { deliver } = delayTopology(options);
  if (target.kind === 'queue') topology.bindQueue(target.name, deliver, patternOf(target));
  else bindRelay(topology, target, options);
}

/**
 * A message that an exchange routes nowhere would stay in its level, and hold up those behind it: each exchange gets a queue in between,
 * in which only its own can wait. It also makes plain consumers see the exchange that the message was published to.
 */
function bindRelay(topology: Topology, target: Target, options: Required<DelayOptions>): void {
  const relay = `${baseOf(options)}.x.${target.name}`;
  topology.queue(holding(relay, expiringArguments(options, { ttl: 0, to: target.name })));
  topology.bindQueue(relay, delayTopology(options).deliver, patternOf(target));
}

/** Matches an address by the digit of one level: a topic pattern, in which `*` is one word and `#` any number. */
function digitPattern(level: number, digit: number): string {
  return `${SENTINEL}.${'*.'.repeat(level)}${digit}.#`;
}

function baseOf(options: DelayOptions): string {
  return `${settingsOf(options).prefix}.${VERSION}`;
}

function holding(name: string, args: Record<string, unknown>): Queue {
  return { name, declare: true, durable: true, autoDelete: false, exclusive: false, arguments: args, deadLetter: undefined };
}

/** At-least-once needs `reject-publish`: rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering. */
function expiringArguments(
  { queueType }: Required<DelayOptions>,
  { ttl, to }: { ttl: number; to: string },
): Record<string, unknown> {
  return {
    'x-queue-type': queueType,
    'x-message-ttl': ttl,
    'x-dead-letter-exchange': to,
    ...(queueType === 'quorum' && { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' }),
  };
}

function unroutableArguments({ queueType }: Required<DelayOptions>): Record<string, unknown> {
  return { 'x-queue-type': queueType, ...(queueType === 'quorum' && { 'x-delivery-limit': NO_DELIVERY_LIMIT }) };
}
