import type { JobType } from './job.js';
import type { PublishOptions } from './options.js';

/** AMQP header values: what amqplib can encode. */
export type Headers = Record<string, unknown>;

/** The properties of AMQP's basic class (specification 0-9-1, section 1.8), in amqplib's spelling. */
export interface MessageProperties {
  readonly messageId?: string | undefined;
  /** The job's name. */
  readonly type?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly headers?: Headers | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly priority?: number | undefined;
  /** Milliseconds, as a decimal string. */
  readonly expiration?: string | undefined;
  /** Seconds since the epoch. */
  readonly timestamp?: number | undefined;
  readonly appId?: string | undefined;
  readonly userId?: string | undefined;
  /** Kept over a restart of the broker, in a durable queue. */
  readonly persistent?: boolean | undefined;
}

/** An outgoing message, on its way through the publish chain. A layer passes on a changed copy, never changes it. */
export interface Message {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly properties: MessageProperties;
  readonly options: PublishOptions;
  /** Its queue is declared before its first message is sent. */
  readonly job?: JobType;
  /** The unacknowledged delivery that this is a copy of: the broker delivers it again where the copy gets lost. */
  readonly copyOf?: Delivery;
  /** Makes of the message that left the publish chain what is to be sent now; called for each sending, also a repeated one. For what depends on the time. */
  readonly atSending?: (message: Message) => Message;
}

/** A message as a consumer received it, unsettled. Settling a delivery twice, or after its channel closed, does nothing. */
export interface Delivery {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  readonly content: Buffer;
  readonly properties: MessageProperties;
  /** True once the channel it came from has closed: the broker delivers it again. */
  readonly lost: boolean;
  ack(): void;
  /** Back to its place in the queue; brokers from 4.3 on do not count it as a failure. */
  requeue(): void;
  /** Given to the queue's own dead-letter exchange, if it has one. */
  reject(): void;
}

/** The headers that Warren sets on copies: of retries, dead letters and delayed messages. */
export const HEADERS = {
  attempt: 'x-attempt',
  exchange: 'x-original-exchange',
  routingKey: 'x-original-routing-key',
  queue: 'x-original-queue',
  userId: 'x-original-user-id',
  expiration: 'x-original-expiration',
  firstFailedAt: 'x-first-failed-at',
  diedAt: 'x-died-at',
  errorName: 'x-error-name',
  errorCode: 'x-error-code',
  errorMessage: 'x-error-message',
  errorStack: 'x-error-stack',
  delayDue: 'x-delay-due',
  delayMs: 'x-delay-ms',
} as const;

const OURS: ReadonlySet<string> = new Set(Object.values(HEADERS));

/** Headers that brokers add on the way. */
const JOURNEY = /^(?:x-death|x-(?:first|last)-death-.*|x-delivery-count|x-acquired-count|CC|BCC)$/;

/** The headers without what dead-lettering and delivery left in them. RabbitMQ up to 3.13 takes a copied x-death for a cycle and drops the message. */
export function withoutJourney(headers: Headers = {}): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !JOURNEY.test(name)));
}

/** The headers as the producer set them: without the journey, and without ours. */
export function producerHeaders(headers: Headers = {}): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !JOURNEY.test(name) && !OURS.has(name)));
}
