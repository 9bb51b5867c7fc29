// A broker in memory, on the virtual clock: queues with a single active consumer, and connections that can break.
import { ConnectionLostError } from '@warren/core';
import type { Connection, Consumer, ConsumerOptions, Delivery, Message } from '@warren/core';
import type { VirtualClock } from '@warren/core/testing';
import { FakeConsumer, FakeDelivery } from './_fake-consumer.js';
import type { Queued } from './_fake-consumer.js';

interface Line {
  sequence: number;
  ready: Queued[];
  consumers: FakeConsumer[];
}

export class FakeBroker {
  readonly clock: VirtualClock;
  /** Milliseconds until a message is in its queue, until its confirm is there, and until a delivery arrives. */
  readonly latency: () => number;
  readonly #lines = new Map<string, Line>();
  readonly #connections = new Set<FakeConnection>();
  readonly #arrived = new WeakSet<FakeDelivery>();

  constructor(clock: VirtualClock, latency: () => number = () => 1) {
    this.clock = clock;
    this.latency = latency;
  }

  connect(): FakeConnection {
    const connection = new FakeConnection(this);
    this.#connections.add(connection);
    return connection;
  }

  /** Ready messages. */
  ready(queue: string): number {
    return this.line(queue).ready.length;
  }

  /** As an operator deletes a queue: its messages are gone, and its consumers come again, as core repairs them. */
  delete(queue: string): void {
    const line = this.line(queue);
    line.ready = [];
    for (const consumer of line.consumers) consumer.unsettled.clear();
    for (const connection of this.#connections) connection.reconnect();
  }

  line(queue: string): Line {
    const found = this.#lines.get(queue) ?? { sequence: 0, ready: [], consumers: [] };
    this.#lines.set(queue, found);
    return found;
  }

  join(consumer: FakeConsumer): FakeConsumer {
    this.line(consumer.options.queue).consumers.push(consumer);
    this.dispatch(consumer.options.queue);
    return consumer;
  }

  leave(consumer: FakeConsumer): void {
    const line = this.line(consumer.options.queue);
    line.consumers = line.consumers.filter((other) => other !== consumer);
    this.dispatch(consumer.options.queue);
  }

  enqueue(message: Message): void {
    const line = this.line(message.routingKey);
    line.ready.push({ sequence: line.sequence++, message });
    this.dispatch(message.routingKey);
  }

  /** To their places in the queue. */
  giveBack(queue: string, deliveries: readonly FakeDelivery[]): void {
    const line = this.line(queue);
    line.ready.push(...deliveries.map(({ queued }) => queued));
    line.ready.sort((one, other) => one.sequence - other.sequence);
  }

  /** All to the first consumer, as far as its prefetch goes. */
  dispatch(queue: string): void {
    const line = this.line(queue);
    const [active] = line.consumers;
    if (!active) return;
    while (line.ready.length > 0 && active.unsettled.size < active.options.prefetch) {
      active.unsettled.add(new FakeDelivery(queue, line.ready.shift() as Queued, active));
    }
    this.#send(active);
  }

  /** In order, as on a channel. */
  #send(consumer: FakeConsumer): void {
    this.clock.schedule(this.latency(), () => {
      for (const delivery of consumer.unsettled) {
        if (this.#arrived.has(delivery) || consumer.lost) continue;
        this.#arrived.add(delivery);
        consumer.deliver(delivery);
      }
    });
  }
}

/** One worker's connection. */
export class FakeConnection implements Pick<Connection, 'declare' | 'consume' | 'publish'> {
  readonly published: Message[] = [];
  /** While it is set, publishing fails. */
  failing = false;
  readonly #broker: FakeBroker;
  #consumers: FakeConsumer[] = [];
  #dead = false;
  #cancelled = false;

  constructor(broker: FakeBroker) {
    this.#broker = broker;
  }

  async declare(): Promise<void> {}

  async consume(options: ConsumerOptions, deliver: (delivery: Delivery) => void): Promise<Consumer> {
    const consumer = this.#broker.join(new FakeConsumer(this.#broker, options, deliver));
    this.#consumers.push(consumer);
    return { cancel: () => this.#cancel() };
  }

  async publish(message: Message): Promise<void> {
    if (this.#dead || this.failing) throw new ConnectionLostError();
    this.published.push(message);
    await this.#broker.clock.sleep(this.#broker.latency());
    if (this.#dead) throw new ConnectionLostError();
    this.#broker.enqueue(message);
    await this.#broker.clock.sleep(this.#broker.latency());
    if (this.#dead) throw new ConnectionLostError();
  }

  /** Also what takes the consumer's place after a reconnection. */
  async #cancel(): Promise<void> {
    this.#cancelled = true;
    await Promise.all(this.#consumers.map((consumer) => consumer.cancel()));
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Its process is killed. */
  kill(): void {
    this.#dead = true;
    for (const consumer of this.#consumers.splice(0)) consumer.lose();
  }

  /** The connection breaks, and is there again a moment later. */
  reconnect(): void {
    for (const consumer of this.#consumers.splice(0)) {
      consumer.lose();
      this.#broker.clock.schedule(this.#broker.latency(), () => {
        if (this.#dead || this.#cancelled) return;
        this.#consumers.push(this.#broker.join(new FakeConsumer(this.#broker, consumer.options, consumer.deliver)));
      });
    }
  }
}
