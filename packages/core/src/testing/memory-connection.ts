import { capabilitiesOf } from '../amqp/capabilities.js';
import type { Capabilities } from '../amqp/capabilities.js';
import type { Connection, Consumer, ConsumerOptions, QueueDepth } from '../connection.js';
import { TopologyMissingError } from '../errors.js';
import type { Delivery, Headers, Message, MessageProperties } from '../message.js';
import type { Topology } from '../topology.js';

/** A delivery that remembers how it was settled. */
export class MemoryDelivery implements Delivery {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  readonly content: Buffer;
  readonly properties: MessageProperties & { readonly headers: Headers };
  /** Set it to play a channel that has closed. */
  lost = false;
  settled: 'acked' | 'requeued' | 'rejected' | undefined;

  constructor(facts: Pick<Delivery, 'queue' | 'exchange' | 'routingKey' | 'content' | 'properties'> & { redelivered?: boolean }) {
    this.queue = facts.queue;
    this.exchange = facts.exchange;
    this.routingKey = facts.routingKey;
    this.content = facts.content;
    this.properties = { ...facts.properties, headers: facts.properties.headers ?? {} };
    this.redelivered = facts.redelivered ?? false;
  }

  ack(): void {
    this.#settle('acked');
  }

  requeue(): void {
    this.#settle('requeued');
  }

  reject(): void {
    this.#settle('rejected');
  }

  #settle(how: 'acked' | 'requeued' | 'rejected'): void {
    if (!this.lost) this.settled ??= how;
  }
}

/** A broker's place in tests: keeps what is published, delivers nothing by itself. */
export class MemoryConnection implements Connection {
  /** What has left the publish chain, oldest first. */
  readonly sent: Message[] = [];
  readonly consumers: ConsumerOptions[] = [];
  capabilities: Capabilities = capabilitiesOf({ product: 'RabbitMQ', version: '4.0.5' });
  topology: Topology | undefined;
  /** Called for each message before it is kept; what it throws is what the publisher gets. */
  onPublish: ((message: Message) => void) | undefined;
  onConnect: (() => void) | undefined;

  async connect(): Promise<void> {
    this.onConnect?.();
  }

  async declare(topology: Topology): Promise<void> {
    this.topology = topology;
  }

  async consume(options: ConsumerOptions): Promise<Consumer> {
    this.consumers.push(options);
    return { cancel: async () => void this.consumers.splice(this.consumers.indexOf(options), 1) };
  }

  async publish(message: Message): Promise<void> {
    this.onPublish?.(message);
    this.sent.push(message.atSending?.(message) ?? message);
  }

  async confirmed(): Promise<void> {}

  /** Counts what was sent straight to the queue. */
  async depth(queue: string): Promise<QueueDepth> {
    if (!this.topology?.queues.has(queue))
      throw new TopologyMissingError({ what: `Queue "${queue}"`, reason: 'it was not declared' });
    const ready = this.sent.filter(({ exchange, routingKey }) => exchange === '' && routingKey === queue).length;
    return { ready, consumers: this.consumers.filter((consumer) => consumer.queue === queue).length };
  }

  async close(): Promise<void> {}
}
