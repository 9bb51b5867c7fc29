// What is known of a dead letter. Warren wrote it into its headers, or the broker into x-death: rabbitmq.com/docs/dlx#effects.
import type { GetMessage } from 'amqplib';
import { HEADERS } from '@warren/core';

/** A message in a dead-letter queue. What a field would hold is undefined where nobody has written it down. */
export interface DeadLetter {
  readonly message: GetMessage;
  readonly id: string | undefined;
  /** The job's name. */
  readonly job: string | undefined;
  /** The queue that it was in when it died. */
  readonly queue: string | undefined;
  /** Where it was first published. */
  readonly exchange: string | undefined;
  readonly routingKey: string | undefined;
  readonly diedAt: Date | undefined;
  readonly attempts: number | undefined;
  /** The error's name, else the broker's reason: `expired`, `rejected`, `maxlen`, `delivery_limit`. */
  readonly reason: string | undefined;
  /** Of the last error, also where the broker's reason is another. */
  readonly error: string | undefined;
  readonly code: string | undefined;
  readonly errorMessage: string | undefined;
  /** How often it was replayed before. */
  readonly replays: number;
}

/** Headers that a replay sets. */
export const REPLAYED_AT = 'x-replayed-at';
export const REPLAY_COUNT = 'x-replay-count';

/** `deadLetterQueue` is where it lies: deaths in that queue itself tell nothing. */
export function readLetter(message: GetMessage, deadLetterQueue: string): DeadLetter {
  const { messageId, type, headers = {} } = message.properties;
  const death = lastDeath(headers['x-death'], deadLetterQueue);
  const diedAt = dateOf(headers[HEADERS.diedAt]);
  const error = textOf(headers[HEADERS.errorName]);
  return {
    message,
    id: textOf(messageId),
    job: textOf(type),
    queue: textOf(headers[HEADERS.queue]) ?? death?.queue,
    exchange: textOf(headers[HEADERS.exchange]) ?? death?.exchange,
    routingKey: textOf(headers[HEADERS.routingKey]) ?? death?.routingKey,
    diedAt: diedAt ?? death?.time,
    attempts: countOf(headers[HEADERS.attempt]),
    // A broker's dead letter may carry the error of an attempt before.
    reason: (diedAt || !death ? error : undefined) ?? death?.reason,
    error,
    code: textOf(headers[HEADERS.errorCode]),
    errorMessage: textOf(headers[HEADERS.errorMessage]),
    replays: countOf(headers[REPLAY_COUNT]) ?? 0,
  };
}

interface Death {
  readonly queue: string | undefined;
  readonly exchange: string | undefined;
  readonly routingKey: string | undefined;
  readonly reason: string | undefined;
  readonly time: Date | undefined;
}

/** The last death comes first. Headers are whatever a producer sent. */
function lastDeath(deaths: unknown, deadLetterQueue: string): Death | undefined {
  if (!Array.isArray(deaths)) return undefined;
  const entries = (deaths as unknown[]).filter(
    (entry): entry is Record<string, unknown> => typeof entry === 'object' && entry !== null,
  );
  const last = entries.find(({ queue }) => queue !== deadLetterQueue);
  if (!last) return undefined;
  const keys = last['routing-keys'];
  return {
    queue: textOf(last['queue']),
    exchange: textOf(last['exchange']),
    routingKey: textOf(Array.isArray(keys) ? keys[0] : undefined),
    reason: textOf(last['reason']),
    time: timeOf(last['time']),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function dateOf(value: unknown): Date | undefined {
  const date = new Date(typeof value === 'string' || typeof value === 'number' ? value : Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** As the client decodes a timestamp in a table: seconds. */
function timeOf(value: unknown): Date | undefined {
  const { value: seconds } = (value ?? {}) as { value?: unknown };
  return typeof seconds === 'number' ? dateOf(seconds * 1_000) : undefined;
}
