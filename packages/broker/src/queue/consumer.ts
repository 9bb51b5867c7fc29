import type { FieldTable } from '../amqp/field-table.js';
import type { Taker } from './consumer-rotation.js';
import type { Queue } from './queue.js';
import type { QueuedMessage } from './ready-list.js';

/** The channel that a consumer belongs to. */
export interface ConsumerChannel {
  /** Neither the channel's own prefetch limit nor its connection holds deliveries back. */
  hasRoom(consumer: Consumer): boolean;
  deliver(consumer: Consumer, queued: QueuedMessage): void;
  /** The queue is gone: tells the client (https://www.rabbitmq.com/docs/consumer-cancel). */
  cancelled(consumer: Consumer): void;
}

export interface ConsumerOptions {
  readonly tag: string;
  readonly queue: Queue;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  /** Unacknowledged deliveries at most; 0 is no limit. */
  readonly prefetch: number;
  readonly arguments: FieldTable;
}

export class Consumer implements Taker {
  readonly tag: string;
  readonly queue: Queue;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly prefetch: number;
  readonly arguments: FieldTable;
  unacked = 0;

  constructor(
    options: ConsumerOptions,
    readonly channel: ConsumerChannel,
  ) {
    this.tag = options.tag;
    this.queue = options.queue;
    this.noAck = options.noAck;
    this.exclusive = options.exclusive;
    this.priority = options.priority;
    this.prefetch = options.prefetch;
    this.arguments = options.arguments;
  }

  canTake(): boolean {
    const withinWindow = this.noAck || this.prefetch === 0 || this.unacked < this.prefetch;
    return withinWindow && this.channel.hasRoom(this);
  }

  deliver(queued: QueuedMessage): void {
    if (!this.noAck) this.unacked++;
    this.channel.deliver(this, queued);
  }
}
