import type { FieldTable } from './amqp/field-table.js';
import type { Queue } from './queue/queue.js';
import type { Destination } from './routing/binding.js';
import { Exchange, type ExchangeProperties, type ExchangeType } from './routing/exchange.js';
import type { Names } from './routing/router.js';
import type { Surroundings } from './surroundings.js';
import type { Timer } from './clock.js';

const NO_ARGUMENTS: FieldTable = new Map();

// https://www.rabbitmq.com/docs/exchanges#pre-declared, all durable.
const PREDECLARED: ReadonlyArray<readonly [name: string, type: ExchangeType, internal: boolean]> = [
  ['amq.direct', 'direct', false],
  ['amq.fanout', 'fanout', false],
  ['amq.topic', 'topic', false],
  ['amq.headers', 'headers', false],
  ['amq.match', 'headers', false],
  ['amq.rabbitmq.trace', 'topic', true],
];

/** The queues, exchanges and bindings of one virtual host, and how the end of one ends others. */
export class VirtualHost implements Names {
  readonly queues: Map<string, Queue> = new Map();
  readonly exchanges: Map<string, Exchange> = new Map();
  /** Bindings in this virtual host, but for the default exchange's. */
  bindingCount = 0;
  readonly #around: Surroundings;
  readonly #unused = new Map<Queue, Timer>();

  constructor(
    readonly name: string,
    around: Surroundings,
  ) {
    this.#around = around;
    for (const [exchange, type, internal] of PREDECLARED) {
      this.#put({ name: exchange, type, internal, durable: true, autoDelete: false, arguments: NO_ARGUMENTS });
    }
  }

  queue(name: string): Queue | undefined {
    return this.queues.get(name);
  }

  exchange(name: string): Exchange | undefined {
    return this.exchanges.get(name);
  }

  addExchange(properties: ExchangeProperties): void {
    const exchange = this.#put(properties);
    if (exchange.durable) this.#around.store?.addExchange(this.name, exchange);
  }

  addQueue(queue: Queue): void {
    this.queues.set(queue.name, queue);
    if (queue.durable) this.#around.store?.addQueue(queue);
    this.used(queue);
  }

  bind(source: Exchange, destination: Destination, key: { routingKey: string; arguments: FieldTable }): void {
    const binding = source.bind(destination, key.routingKey, key.arguments);
    if (binding === undefined) return;
    this.bindingCount++;
    if (source.durable && destination.durable) this.#around.store?.addBinding(this.name, binding);
  }

  unbind(source: Exchange, destination: Destination, key: { routingKey: string; arguments: FieldTable }): void {
    const binding = source.unbind(destination, key.routingKey, key.arguments);
    if (binding === undefined) return;
    this.bindingCount--;
    if (source.durable && destination.durable) this.#around.store?.removeBinding(this.name, binding);
    this.#lostBinding(source);
  }

  /** Ends a queue and tells its consumers. Returns how many ready messages it had. */
  deleteQueue(queue: Queue): number {
    this.queues.delete(queue.name);
    this.#unused.get(queue)?.cancel();
    this.#unused.delete(queue);
    const count = queue.delete();
    if (queue.durable) this.#around.store?.removeQueue(queue);
    this.#unbindFrom(queue);
    for (const consumer of queue.consumers) consumer.channel.cancelled(consumer);
    return count;
  }

  deleteExchange(exchange: Exchange): void {
    this.exchanges.delete(exchange.name);
    for (const binding of exchange.bindings) this.unbind(exchange, binding.destination, binding);
    this.#unbindFrom(exchange);
    if (exchange.durable) this.#around.store?.removeExchange(this.name, exchange);
  }

  /** A consumer left: an auto-delete queue goes with the last one (specification, queue.declare, auto-delete). */
  lostConsumer(queue: Queue): void {
    if (queue.deleted || queue.consumers.size > 0) return;
    if (queue.autoDelete) this.deleteQueue(queue);
    else this.used(queue);
  }

  /** Somebody used a queue: one that expires starts its time anew, if it has no consumers (https://www.rabbitmq.com/docs/ttl#queue-ttl). */
  used(queue: Queue): void {
    const { expires } = queue.settings;
    if (expires === undefined) return;
    const { clock } = this.#around;
    this.#unused.get(queue)?.cancel();
    this.#unused.set(
      queue,
      clock.at(clock.now() + expires, () => (queue.consumers.size === 0 ? this.deleteQueue(queue) : undefined)),
    );
  }

  #put(properties: ExchangeProperties): Exchange {
    const exchange = new Exchange(properties);
    this.exchanges.set(exchange.name, exchange);
    return exchange;
  }

  #unbindFrom(destination: Destination): void {
    for (const { source, routingKey, arguments: args } of destination.incoming) {
      this.unbind(source, destination, { routingKey, arguments: args });
    }
  }

  /** An auto-delete exchange goes with its last binding as a source. */
  #lostBinding(source: Exchange): void {
    if (source.autoDelete && !source.inUse && this.exchanges.get(source.name) === source) this.deleteExchange(source);
  }
}
