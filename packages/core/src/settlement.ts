// How a delivery ends. Copy first, ack second: a crash in between runs a job twice, never zero times.
import { inspect } from 'node:util';
import type { Clock } from './clock.js';
import { ConfigurationError, MessageInvalidError } from './errors.js';
import { attemptOf } from './job.js';
import type { Logger } from './logger.js';
import { HEADERS, withoutJourney } from './message.js';
import type { Delivery, Headers, Message } from './message.js';
import type { PublishOptions } from './options.js';
import { deadLetter } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Awaitable, Publish } from './plugin.js';
import type { Queue } from './topology.js';

/** Before a delivery whose copy could not be published goes back to the queue; milliseconds. */
const FAILED_COPY_PAUSE = 1_000;

/** Bounds on what an error may put into headers, in characters. All headers together must fit into one frame. */
const MAX_ERROR_TEXT = 1_000;
const MAX_ERROR_STACK = 8_000;

const UNREADABLE: Headers = { [HEADERS.errorName]: 'Error', [HEADERS.errorMessage]: 'The error cannot be read.' };

export interface SettlementParts {
  /** The publish chain. */
  readonly publish: Publish;
  /** Whether a plugin holds messages that have a delay. */
  readonly delays: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Settlement {
  readonly #parts: SettlementParts;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** Settles; never rejects. A lost delivery is left alone: the broker delivers it again. */
  settle(delivery: Delivery, outcome: Outcome, queue: Queue): Awaitable<void> {
    if (delivery.lost) return undefined;
    const { delays, clock } = this.#parts;
    const giveUp = (error: unknown): Awaitable<void> => this.settle(delivery, deadLetter(error), queue);
    switch (outcome.kind) {
      case 'ack':
        return delivery.ack();
      case 'requeue':
        return outcome.delay && delays ? this.#replace(delivery, postponed(delivery, outcome.delay), giveUp) : delivery.requeue();
      case 'retry':
        return this.#replace(delivery, retried(delivery, outcome, this.#parts), giveUp);
      case 'deadLetter':
        return queue.deadLetter
          ? this.#replace(delivery, dead(delivery, outcome.error, queue, clock), () => delivery.reject())
          : delivery.reject();
    }
  }

  /** `otherwise` is for a copy that can never be published: a wait that nobody holds, or a stranger's headers that fill a frame. */
  async #replace(delivery: Delivery, copy: Message, otherwise: (error: unknown) => Awaitable<void>): Promise<void> {
    try {
      await this.#parts.publish(copy);
      delivery.ack();
    } catch (error) {
      this.#parts.logger.error({ err: error, queue: delivery.queue, messageId: copy.properties.messageId }, 'copy not published');
      if (error instanceof MessageInvalidError || error instanceof ConfigurationError) return otherwise(error);
      await this.#parts.clock.sleep(FAILED_COPY_PAUSE);
      delivery.requeue();
    }
  }
}

/** A copy for the same queue. The default exchange reaches no queue but this one; where it was first published to is kept in headers. */
function copyOf(delivery: Delivery, headers: Headers, delay: number | undefined): Message {
  const { userId, ...properties } = delivery.properties;
  const origin: Headers = { [HEADERS.exchange]: delivery.exchange, [HEADERS.routingKey]: delivery.routingKey };
  // The broker compares userId with the login of whoever publishes: rabbitmq.com/docs/validated-user-id.
  if (userId !== undefined) origin[HEADERS.userId] = userId;
  return {
    exchange: '',
    routingKey: delivery.queue,
    content: delivery.content,
    properties: { ...properties, persistent: true, headers: { ...origin, ...withoutJourney(properties.headers), ...headers } },
    // The option of the plugin that delays: it declares it.
    options: (delay ? { delay } : {}) as PublishOptions,
    copyOf: delivery,
  };
}

function postponed(delivery: Delivery, delay: number): Message {
  return copyOf(delivery, {}, delay);
}

function retried(delivery: Delivery, outcome: { delay?: number; error?: unknown }, { delays, clock }: SettlementParts): Message {
  const headers = { ...failure(delivery, outcome.error, clock), [HEADERS.attempt]: attemptOf(delivery) + 1 };
  return copyOf(delivery, headers, delays ? outcome.delay : undefined);
}

function dead(delivery: Delivery, error: unknown, queue: Queue, clock: Clock): Message {
  const headers = {
    ...failure(delivery, error, clock),
    ...readable(() => stackOf(error), {}),
    [HEADERS.attempt]: attemptOf(delivery),
    [HEADERS.queue]: delivery.queue,
    [HEADERS.diedAt]: new Date(clock.now()).toISOString(),
  };
  const { properties, ...copy } = copyOf(delivery, headers, undefined);
  // A dead letter waits for a person: it does not expire.
  const { expiration: _, ...kept } = properties;
  return { ...copy, ...queue.deadLetter, properties: kept };
}

function failure(delivery: Delivery, thrown: unknown, clock: Clock): Headers {
  return {
    ...readable(() => described(thrown), UNREADABLE),
    [HEADERS.firstFailedAt]: delivery.properties.headers?.[HEADERS.firstFailedAt] ?? new Date(clock.now()).toISOString(),
  };
}

/** What of an error can be read: fields of what was thrown may throw themselves, and nothing may keep a job from being settled. */
function readable(read: () => Headers, otherwise: Headers): Headers {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function described(thrown: unknown): Headers {
  const error = thrown instanceof Error ? thrown : new Error(bounded(thrown));
  const { code } = error as { code?: unknown };
  return {
    [HEADERS.errorName]: bounded(error.name),
    ...(typeof code === 'string' && { [HEADERS.errorCode]: bounded(code) }),
    [HEADERS.errorMessage]: bounded(error.message),
  };
}

/** Anything can be thrown, and an error's fields can hold anything. */
function bounded(value: unknown, max: number = MAX_ERROR_TEXT): string {
  return (typeof value === 'string' ? value : inspect(value, { depth: 1 })).slice(0, max);
}

function stackOf(error: unknown): Headers {
  return error instanceof Error && error.stack ? { [HEADERS.errorStack]: bounded(error.stack, MAX_ERROR_STACK) } : {};
}
