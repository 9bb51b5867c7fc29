import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidOptionError } from './errors.js';
import { HEADERS, producerHeaders } from './message.js';
import type { Delivery, Headers, Message, MessageProperties } from './message.js';
import type { HandlerOptions, PublishOptions } from './options.js';
import { queueOf } from './topology.js';
import type { BindingOptions, Queue, QueueOptions } from './topology.js';

/** A kind of job, shared by those who publish it and those who handle it. `P` is what handlers get, `I` what is published (they differ where a schema transforms). */
export interface JobType<P = unknown, I = P> {
  readonly name: string;
  readonly queue: Queue;
  readonly exchange: string;
  readonly routingKey: string;
  readonly bindings: readonly BindingOptions[];
  readonly codec: string;
  readonly schema: StandardSchemaV1<I, P> | undefined;
  /** Options for whoever handles it; those given to `worker.handle` win. */
  readonly handling: HandlerOptions;
  /** Never there at run time: carries the types. */
  readonly types?: { readonly input: I; readonly payload: P };
}

export interface JobTypeOptions {
  /** A name is a durable quorum queue with a dead-letter queue. */
  queue: string | QueueOptions;
  /** `'json'` (default), `'text'`, `'bytes'`, or one that was registered. */
  codec?: 'json' | 'text' | 'bytes' | (string & {});
  /** Where it is published. Default: the default exchange, straight to the queue. */
  exchange?: string;
  /** Default: the queue's name, or with an `exchange` the job's name. */
  routingKey?: string;
  /** Exchanges to declare and bind the queue to. */
  bindings?: readonly BindingOptions[];
  /** Options for whoever handles it; those given to `worker.handle` win. */
  handling?: HandlerOptions;
}

/** Defines a kind of job. With a `schema` (any Standard Schema validator) the payload's type is inferred, and every payload is validated on publish and on delivery. */
export function defineJob<S extends StandardSchemaV1>(
  name: string,
  options: JobTypeOptions & { schema: S },
): JobType<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>;
export function defineJob<P = unknown>(name: string, options: JobTypeOptions): JobType<P>;
export function defineJob(name: string, options: JobTypeOptions & { schema?: StandardSchemaV1 }): JobType {
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > 255) {
    throw new InvalidOptionError({ option: 'job name', expected: 'text of 1 to 255 bytes', got: name });
  }
  const queue = queueOf(options.queue);
  const { exchange = '', bindings = [], codec = 'json', schema, handling = {} } = options;
  const routingKey = options.routingKey ?? (exchange === '' ? queue.name : name);
  return { name, queue, exchange, routingKey, bindings, codec, schema, handling };
}

/** Throws `ERR_INVALID_OPTION` for what is no job, such as a job's name: only programs without types can have it here. */
export function requireJobType(given: unknown, option: string, expected = 'a job, made by defineJob'): asserts given is JobType {
  const { name, queue, handling } = (given ?? {}) as Partial<JobType>;
  if (typeof name === 'string' && typeof queue === 'object' && typeof handling === 'object') return;
  throw new InvalidOptionError({ option, expected, got: given });
}

/** What a job can do while it runs; one for all jobs of a worker. */
export interface JobContext {
  publish(job: JobType, payload: unknown, options: PublishOptions): Promise<void>;
  send(message: OutgoingMessage): Promise<void>;
}

/** A message for `worker.send`: any exchange, any key, bytes or text. */
export interface OutgoingMessage extends Pick<Message, 'exchange' | 'routingKey'> {
  readonly content: Uint8Array | string;
  readonly properties?: MessageProperties;
  readonly options?: PublishOptions;
}

/** What is known of a delivery besides its payload. */
export interface JobFacts {
  readonly type: JobType;
  readonly delivery: Delivery;
  readonly context: JobContext;
}

/** A delivered message, decoded. Plugins add fields by declaration merging, and set them in their `consume` layer. */
export class Job<P = unknown> {
  readonly type: JobType;
  readonly payload: P;
  /** From 1; counted in a header of our own, because brokers count redeliveries differently. */
  readonly attempt: number;
  readonly delivery: Delivery;
  readonly #context: JobContext;
  #headers: Headers | undefined;
  #abort: AbortController | undefined;
  #abortReason: unknown;

  constructor(payload: P, { type, delivery, context }: JobFacts) {
    this.type = type;
    this.payload = payload;
    this.delivery = delivery;
    this.attempt = attemptOf(delivery);
    this.#context = context;
  }

  /** The job's name. */
  get name(): string {
    return this.type.name;
  }

  /** The producer's id for the message; the same in every attempt. Foreign producers may send none. */
  get messageId(): string | undefined {
    return this.delivery.properties.messageId;
  }

  get correlationId(): string | undefined {
    return this.delivery.properties.correlationId;
  }

  get replyTo(): string | undefined {
    return this.delivery.properties.replyTo;
  }

  get properties(): MessageProperties {
    return this.delivery.properties;
  }

  /** The producer's headers, without those that brokers and Warren add on the way. */
  get headers(): Headers {
    return (this.#headers ??= producerHeaders(this.delivery.properties.headers));
  }

  get queue(): string {
    return this.delivery.queue;
  }

  /** Where it was published, also when it has come through a delay or a retry. */
  get exchange(): string {
    return textHeader(this.delivery, HEADERS.exchange) ?? this.delivery.exchange;
  }

  /** As it was published, also when it has come through a delay or a retry. */
  get routingKey(): string {
    return textHeader(this.delivery, HEADERS.routingKey) ?? this.delivery.routingKey;
  }

  /** The broker has delivered this copy before: a consumer died, or gave it back. */
  get redelivered(): boolean {
    return this.delivery.redelivered;
  }

  /** Aborts at the handler's timeout, and at the worker's stop deadline. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#abortReason !== undefined) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** Aborts `signal`. */
  abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#abort?.abort(reason);
  }

  /** Publishes a follow-up job with this one's correlation id, or this one's message id where it has none. */
  publish<T, I>(job: JobType<T, I>, payload: I, options: PublishOptions = {}): Promise<void> {
    const correlationId = this.correlationId ?? this.messageId;
    return this.#context.publish(job, payload, correlationId === undefined ? options : { correlationId, ...options });
  }

  /** Publishes any message. */
  send(message: OutgoingMessage): Promise<void> {
    return this.#context.send(message);
  }
}

/** The attempt that a delivery is; 1 unless its header holds a whole number from 1 on. */
export function attemptOf(delivery: Delivery): number {
  const attempt = delivery.properties.headers?.[HEADERS.attempt];
  return Number.isSafeInteger(attempt) && (attempt as number) >= 1 ? (attempt as number) : 1;
}

function textHeader(delivery: Delivery, name: string): string | undefined {
  const value = delivery.properties.headers?.[name];
  return typeof value === 'string' ? value : undefined;
}
