import { plainTable } from '../amqp/fields.js';
import { readProperties } from '../amqp/properties.js';
import type { Queue } from '../queue/queue.js';
import type { QueuedMessage } from '../queue/ready-list.js';
import type { Connection } from '../session/connection.js';

// What a test can see of the broker, as plain objects that cross threads.

export interface MessageState {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly headers: Record<string, unknown>;
  readonly messageId: string | undefined;
  readonly persistent: boolean;
  readonly redelivered: boolean;
  /** Milliseconds since the epoch; undefined is never. */
  readonly expiresAt: number | undefined;
  readonly unacked: boolean;
}

export interface QueueState {
  readonly virtualHost: string;
  readonly name: string;
  readonly durable: boolean;
  /** Messages that nobody has taken. */
  readonly ready: number;
  /** Messages that were delivered and not settled yet. */
  readonly unacked: number;
  readonly consumers: number;
  /** Dead letters of an at-least-once queue whose target does not take them at present. */
  readonly heldDeadLetters: number;
}

export interface ConnectionState {
  readonly id: string;
  readonly virtualHost: string;
  readonly user: string;
  /** What the client calls itself. */
  readonly name: string | undefined;
  readonly channels: readonly number[];
  /** It published during an alarm and waits. */
  readonly blocked: boolean;
}

export interface Snapshot {
  readonly queues: ReadonlyArray<QueueState & { readonly messages: readonly MessageState[] }>;
  readonly connections: readonly ConnectionState[];
  /** Octets that messages take. */
  readonly memory: number;
}

export function queueState(queue: Queue, heldDeadLetters: number): QueueState {
  const { vhost: virtualHost, name, durable } = queue;
  return {
    virtualHost,
    name,
    durable,
    ready: queue.ready.size,
    unacked: queue.unacked.size,
    consumers: queue.consumers.size,
    heldDeadLetters,
  };
}

/** Up to `most` messages of a queue: the unacknowledged ones, then the ready ones in order. */
export function messageStates(queue: Queue, most: number): MessageState[] {
  const states: MessageState[] = [];
  for (const queued of queue.unacked) if (states.length < most) states.push(messageState(queued, true));
  for (const queued of queue.ready) if (states.length < most) states.push(messageState(queued, false));
  return states;
}

function messageState({ message, redelivered, expiresAt }: QueuedMessage, unacked: boolean): MessageState {
  const { headers, messageId } = readProperties(message.propertyOctets);
  return {
    exchange: message.exchange,
    routingKey: message.routingKey,
    // A copy: the content may be a part of a larger buffer.
    body: Uint8Array.from(message.content.subarray(message.bodyStart)),
    headers: headers === undefined ? {} : plainTable(headers),
    messageId,
    persistent: message.persistent,
    redelivered,
    expiresAt: expiresAt === Infinity ? undefined : expiresAt,
    unacked,
  };
}

export function connectionState(connection: Connection): ConnectionState {
  const { id, agreement, channels, blocked } = connection;
  const name = plainTable(agreement.clientProperties)['connection_name'];
  return {
    id,
    virtualHost: agreement.virtualHost,
    user: agreement.user,
    name: typeof name === 'string' ? name : undefined,
    channels: [...channels].map(({ number }) => number),
    blocked,
  };
}
