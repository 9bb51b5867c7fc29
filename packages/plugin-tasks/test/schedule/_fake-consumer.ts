// A consumer of the broker in memory, and what it was given.
import type { Consumer, ConsumerOptions, Delivery, Message } from '@warren/core';

export interface Queued {
  readonly sequence: number;
  readonly message: Message;
}

/** What a consumer needs of its broker. */
interface Home {
  leave(consumer: FakeConsumer): void;
  giveBack(queue: string, deliveries: readonly FakeDelivery[]): void;
  dispatch(queue: string): void;
}

export class FakeDelivery implements Delivery {
  readonly exchange = '';
  readonly redelivered = false;
  readonly queue: string;
  readonly queued: Queued;
  readonly #consumer: FakeConsumer;

  constructor(queue: string, queued: Queued, consumer: FakeConsumer) {
    this.queue = queue;
    this.queued = queued;
    this.#consumer = consumer;
  }

  get routingKey(): string {
    return this.queue;
  }

  get content(): Buffer {
    return this.queued.message.content;
  }

  get properties(): Message['properties'] {
    return this.queued.message.properties;
  }

  get lost(): boolean {
    return this.#consumer.lost;
  }

  ack(): void {
    this.#consumer.settle(this, false);
  }

  requeue(): void {
    this.#consumer.settle(this, true);
  }

  reject(): void {
    this.ack();
  }
}

export class FakeConsumer implements Consumer {
  lost = false;
  readonly #broker: Home;
  readonly options: ConsumerOptions;
  readonly deliver: (delivery: Delivery) => void;
  readonly unsettled: Set<FakeDelivery> = new Set();

  constructor(broker: Home, options: ConsumerOptions, deliver: (delivery: Delivery) => void) {
    this.#broker = broker;
    this.options = options;
    this.deliver = deliver;
  }

  async cancel(): Promise<void> {
    this.#broker.leave(this);
  }

  settle(delivery: FakeDelivery, back: boolean): void {
    if (this.lost || !this.unsettled.delete(delivery)) return;
    if (back) this.#broker.giveBack(this.options.queue, [delivery]);
    this.#broker.dispatch(this.options.queue);
  }

  /** Its channel closes. */
  lose(): void {
    this.lost = true;
    this.#broker.leave(this);
    this.#broker.giveBack(this.options.queue, [...this.unsettled]);
    this.unsettled.clear();
    this.#broker.dispatch(this.options.queue);
  }
}
