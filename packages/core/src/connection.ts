import type { Capabilities } from './amqp/capabilities.js';
import type { Delivery, Message } from './message.js';
import type { Topology } from './topology.js';

/** What a queue's consumer asks of the broker. */
export interface ConsumerOptions {
  readonly queue: string;
  /** Unsettled deliveries at a time for this consumer; 0 is no limit. */
  prefetch: number;
  /** The same for its whole channel (`global` in AMQP); RabbitMQ 4.3 and later ignore it, so it is refused there. */
  channelPrefetch?: number;
  /** Consumer arguments, for example `x-priority`. */
  arguments?: Record<string, unknown>;
  exclusive?: boolean;
}

export interface Consumer {
  /** Takes no more; what was delivered can still be settled. */
  cancel(): Promise<void>;
}

/** Counts from a passive declaration: messages ready for delivery, and consumers. */
export interface QueueDepth {
  readonly ready: number;
  readonly consumers: number;
}

/** All that core needs of a broker. The AMQP one is in `amqp/`, the one for tests in `testing/`. */
export interface Connection {
  /** Known once connected. */
  readonly capabilities: Capabilities;
  /** Rejects with a `BrokerError` when the broker refuses, or cannot be reached in time. Declares nothing. */
  connect(): Promise<void>;
  /** Declares what `topology` has gained since the last call. Once that has succeeded, all of it is declared again after every reconnection. */
  declare(topology: Topology): Promise<void>;
  /** Delivers to `deliver` until cancelled, through every reconnection. */
  consume(options: ConsumerOptions, deliver: (delivery: Delivery) => void): Promise<Consumer>;
  /** Resolves when the broker has taken responsibility for the message. */
  publish(message: Message): Promise<void>;
  /** Resolves when nothing that was published is unconfirmed. */
  confirmed(): Promise<void>;
  /** Rejects where there is no such queue. */
  depth(queue: string): Promise<QueueDepth>;
  /** Closes within `ms` milliseconds, whatever the broker does. */
  close(ms: number): Promise<void>;
}
