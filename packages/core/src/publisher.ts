import { randomUUID } from 'node:crypto';
import { requireWhole } from './checks.js';
import type { Clock } from './clock.js';
import type { CodecRegistry } from './codec.js';
import type { Connection } from './connection.js';
import { messagePublish } from './diagnostics.js';
import { InvalidOptionError, UnknownOptionError } from './errors.js';
import { requireJobType } from './job.js';
import type { JobType, OutgoingMessage } from './job.js';
import type { Message, MessageProperties } from './message.js';
import { isThenable } from './middleware.js';
import type { PublishOptions } from './options.js';
import { encodePayload } from './payload.js';
import type { Publish } from './plugin.js';

export interface PublisherParts {
  readonly connection: Connection;
  readonly codecs: CodecRegistry;
  readonly clock: Clock;
  /** The publish options that core and the plugins know. */
  readonly options: ReadonlySet<string>;
  /** Folds the plugins' layers around the innermost publish. */
  readonly fold: (innermost: Publish) => Publish;
}

type Writable<T> = { -readonly [P in keyof T]: T[P] };

/** Turns payloads into messages and hands them to the broker, through the publish chain. */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #chain: Publish;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#chain = parts.fold((message) => parts.connection.publish(message));
  }

  /** Whether core or a plugin owns the publish option `option`: `delay`, for one, is there only with a plugin that delays. */
  knows(option: string): boolean {
    return this.#parts.options.has(option);
  }

  /** Resolves when the broker has confirmed the job's message. */
  async publish(job: JobType, payload: unknown, options: PublishOptions = {}): Promise<void> {
    requireJobType(job, 'publish');
    this.#checkOptions(options);
    const codec = this.#parts.codecs.get(job.codec);
    const encoded = encodePayload(job, payload, codec);
    const content = isThenable(encoded) ? await encoded : encoded;
    const { exchange = job.exchange, routingKey = job.routingKey } = options;
    requireAddress(exchange, routingKey);
    const properties = this.#properties(options);
    properties.type = job.name;
    properties.contentType = codec.contentType;
    return this.relay({ exchange, routingKey, content, properties, options, job });
  }

  /** Resolves when the broker has confirmed the message, sent as it is given. */
  async send({ exchange, routingKey, content, properties, options = {} }: OutgoingMessage): Promise<void> {
    this.#checkOptions(options);
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
      throw new InvalidOptionError({ option: 'content', expected: 'a Buffer, Uint8Array or string', got: content });
    }
    requireAddress(exchange, routingKey);
    const body =
      typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return this.relay({
      exchange,
      routingKey,
      content: body,
      properties: { ...this.#properties(options), ...properties },
      options,
    });
  }

  /** Sends a finished message through the publish chain. */
  relay(message: Message): Promise<void> {
    const identified = message.properties.messageId === undefined ? withId(message) : message;
    const published = this.#chain(identified);
    return messagePublish.hasSubscribers ? announce(identified, published) : published;
  }

  #properties(options: PublishOptions): Writable<MessageProperties> {
    const { messageId = randomUUID(), correlationId, replyTo, headers = {}, priority, expiration, persistent = true } = options;
    const timestamp = Math.floor(this.#parts.clock.now() / 1_000);
    const properties: Writable<MessageProperties> = { messageId, timestamp, persistent, headers };
    // Assigned where there is something: spreading conditions into the object costs more than all the rest of a publish.
    if (correlationId !== undefined) properties.correlationId = correlationId;
    if (replyTo !== undefined) properties.replyTo = replyTo;
    if (priority !== undefined) properties.priority = priority;
    if (expiration !== undefined) properties.expiration = String(Math.ceil(expiration));
    return properties;
  }

  #checkOptions(options: PublishOptions): void {
    for (const option in options) {
      if (options[option as keyof PublishOptions] !== undefined && !this.#parts.options.has(option))
        throw new UnknownOptionError({ option, where: 'publish', known: [...this.#parts.options] });
    }
    requireNumbers(options);
  }
}

/** Milliseconds; a longer expiration is refused: rabbitmq.com/docs/ttl. */
const MAX_EXPIRATION = 2 ** 32 - 1;

/** The broker would close the channel because of a wrong expiration, and a timeout that is no number would never come. */
function requireNumbers({ priority, expiration, timeout }: PublishOptions): void {
  if (priority !== undefined) requireWhole('priority', priority, { min: 0, max: 255 });
  if (timeout !== undefined) requireWhole('timeout', timeout, { min: 1 });
  if (expiration === undefined || (typeof expiration === 'number' && expiration >= 0 && expiration <= MAX_EXPIRATION)) return;
  throw new InvalidOptionError({ option: 'expiration', expected: `milliseconds from 0 to ${MAX_EXPIRATION}`, got: expiration });
}

/** The client would throw while it sends, among the messages of others. */
function requireAddress(exchange: unknown, routingKey: unknown): void {
  if (typeof exchange !== 'string') throw new InvalidOptionError({ option: 'exchange', expected: 'text', got: exchange });
  if (typeof routingKey !== 'string') throw new InvalidOptionError({ option: 'routingKey', expected: 'text', got: routingKey });
}

/** Every message has an id: with it consumers tell duplicates, and a publish that is sent again is the same message. */
function withId(message: Message): Message {
  return { ...message, properties: { ...message.properties, messageId: randomUUID() } };
}

async function announce(message: Message, published: Promise<void>): Promise<void> {
  try {
    await published;
    messagePublish.publish({ message, error: undefined });
  } catch (error) {
    messagePublish.publish({ message, error });
    throw error;
  }
}
