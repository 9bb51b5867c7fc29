import { randomUUID } from 'node:crypto';
import { Topology } from '@warren/core';
import type { Delivery, Message } from '@warren/core';

/** What says how far a schedule has come. Whoever has its message in hand leads the schedule. */
export interface Baton {
  /** The last tick that was fired, in milliseconds since the epoch. */
  readonly last: number;
  /** Nobody knew of a tick that was fired: ticks count from the moment `last` on. Any other baton is worth more. */
  readonly seed: boolean;
}

/** A crash of each of its leaders returns the baton: in effect no limit. `-1` would drop it on RabbitMQ 3. */
const NO_DELIVERY_LIMIT = 1_000_000_000;

/** Milliseconds. Short, because whoever publishes one tries again, and a worker that stops in an outage waits for what it has published. */
const CONFIRM_TIMEOUT = 10_000;

/** Bytes; ours are shorter. */
const LONGEST = 100;

export function batonQueue(schedule: string): string {
  return `schedule.${schedule}`;
}

/**
 * The queues of schedules' batons: durable and replicated, each with one consumer at a time (rabbitmq.com/docs/consumers#single-active-consumer).
 * Without a limit of length, which would drop the older message of two: with a leader's death that can be the baton, and the other a seed.
 */
export function batonTopology(schedules: readonly string[]): Topology {
  const topology = new Topology();
  for (const schedule of schedules) {
    topology.queue({
      name: batonQueue(schedule),
      declare: true,
      durable: true,
      autoDelete: false,
      exclusive: false,
      deadLetter: undefined,
      arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true, 'x-delivery-limit': NO_DELIVERY_LIMIT },
    });
  }
  return topology;
}

export function batonMessage(schedule: string, { last, seed }: Baton): Message {
  const moment = new Date(last).toISOString();
  return {
    exchange: '',
    routingKey: batonQueue(schedule),
    content: Buffer.from(JSON.stringify(seed ? { since: moment } : { last: moment })),
    properties: { messageId: randomUUID(), type: 'schedule.baton', contentType: 'application/json', persistent: true },
    options: { timeout: CONFIRM_TIMEOUT },
  };
}

/** Undefined for what is no baton. */
export function readBaton({ content }: Delivery): Baton | undefined {
  if (content.length > LONGEST) return undefined;
  try {
    const { last, since } = JSON.parse(content.toString()) as { last?: unknown; since?: unknown };
    const text = last ?? since;
    const moment = typeof text === 'string' ? Date.parse(text) : NaN;
    return Number.isNaN(moment) ? undefined : { last: moment, seed: last === undefined };
  } catch {
    return undefined;
  }
}

/** Whether of two batons the first is to be kept: the one that knows of later ticks; of equal ones the one that came later. */
export function supersedes(one: Baton, other: Baton): boolean {
  return !one.seed && (other.seed || one.last >= other.last);
}
