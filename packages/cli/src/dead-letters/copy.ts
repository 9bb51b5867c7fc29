// The copy of a dead letter that is sent back to work.
import { HEADERS, producerHeaders } from '@warren/core';
import type { Headers, OutgoingMessage } from '@warren/core';
import { OriginUnknownError } from '../errors.js';
import { REPLAY_COUNT, REPLAYED_AT } from './letter.js';
import type { DeadLetter } from './letter.js';

export interface CopyOptions {
  /** The queue where the letters lie. */
  readonly deadLetterQueue: string;
  /** In place of the queue that each died in. */
  readonly to: string | undefined;
  /** Go on counting attempts; else they begin at 1. */
  readonly keepAttempts: boolean;
}

const DEAD = /\.dead$/;

/** When a task of plugin-tasks is too late to be worth running. */
const TASK_EXPIRES_AT = 'x-task-expires-at';

/** The queue that a letter goes back to. Throws `ERR_ORIGIN_UNKNOWN` where nothing tells it. */
export function destinationOf({ id, queue }: DeadLetter, { deadLetterQueue, to }: CopyOptions): string {
  const named = DEAD.test(deadLetterQueue) ? deadLetterQueue.replace(DEAD, '') : undefined;
  const destination = to ?? queue ?? named;
  if (destination === undefined || destination === '' || destination === deadLetterQueue)
    throw new OriginUnknownError({ id, queue: deadLetterQueue });
  return destination;
}

/**
 * Body, properties and the producer's headers as they were, to the queue itself: the exchange that it first came through may feed other
 * queues too. The expiry is left out, a task's too, for a replay is wanted.
 */
export function copyOf(letter: DeadLetter, options: CopyOptions): OutgoingMessage {
  const { content, properties } = letter.message;
  const { userId, expiration: _, headers, ...kept } = properties;
  const { [TASK_EXPIRES_AT]: __, ...producers } = producerHeaders(headers);
  return {
    exchange: '',
    routingKey: destinationOf(letter, options),
    content,
    properties: { ...kept, persistent: true, headers: { ...producers, ...marksOf(letter, userId, options) } },
    options: { mandatory: true },
  };
}

/** Where it first came from stays known, and with it what the handler sees. */
function marksOf(
  { message, exchange, routingKey, attempts, replays }: DeadLetter,
  userId: unknown,
  { keepAttempts }: CopyOptions,
): Headers {
  const originalUser: unknown = userId ?? message.properties.headers?.[HEADERS.userId];
  return {
    ...(exchange !== undefined && { [HEADERS.exchange]: exchange }),
    ...(routingKey !== undefined && { [HEADERS.routingKey]: routingKey }),
    // The broker compares userId with the login of whoever publishes: rabbitmq.com/docs/validated-user-id.
    ...(originalUser !== undefined && { [HEADERS.userId]: originalUser }),
    ...(keepAttempts && attempts !== undefined && { [HEADERS.attempt]: attempts }),
    [REPLAYED_AT]: new Date().toISOString(),
    [REPLAY_COUNT]: replays + 1,
  };
}
