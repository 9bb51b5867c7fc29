import { isDeepStrictEqual } from 'node:util';
import { InvalidOptionError, TopologyConflictError } from './errors.js';

/** A queue, as a job's definition gives it. */
export interface QueueOptions {
  name: string;
  /** Default `quorum`; `classic` where the queue is not durable, exclusive or auto-delete, which quorum queues cannot be. */
  type?: 'quorum' | 'classic';
  /** Outlives a restart of the broker. Default true. */
  durable?: boolean;
  /** Deleted when its last consumer goes. Default false. */
  autoDelete?: boolean;
  /** Belongs to this connection, and goes with it. Default false. */
  exclusive?: boolean;
  /** Added to the arguments that Warren sets; these win. */
  arguments?: Record<string, unknown>;
  /** False consumes a queue that somebody else declares. Default true. */
  declare?: boolean;
  /**
   * Where failed jobs go. Default: the queue `<name>.dead`, declared beside this one. False: they are rejected, and the
   * queue's own dead-letter arguments or policy decide, without which the broker drops them. Temporary and undeclared queues default to false.
   */
  deadLetter?: boolean | DeadLetterOptions;
}

/** A dead-letter target. With the default exchange (`''`) the queue named by `routingKey` is declared too. */
export interface DeadLetterOptions {
  exchange?: string;
  routingKey?: string;
}

/** A queue with every default filled in. */
export interface Queue {
  readonly name: string;
  readonly declare: boolean;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusive: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly deadLetter: Required<DeadLetterOptions> | undefined;
}

export type ExchangeType = 'direct' | 'topic' | 'fanout' | 'headers';

export interface ExchangeOptions {
  /** Default true. */
  durable?: boolean;
  /** Deleted when its last binding goes. Default false. */
  autoDelete?: boolean;
  /** Only other exchanges can publish to it. Default false. */
  internal?: boolean;
  /** For example `alternate-exchange`. */
  arguments?: Record<string, unknown>;
}

export interface Exchange extends Required<ExchangeOptions> {
  readonly name: string;
  readonly type: ExchangeType;
}

/** Declares an exchange and binds a job's queue to it. */
export interface BindingOptions extends ExchangeOptions {
  exchange: string;
  /** Without it the exchange is bound to, not declared. */
  type?: ExchangeType;
  /** Default: the empty key, as fanout and headers exchanges need. */
  pattern?: string;
  /** The binding's arguments: what a headers exchange matches. */
  arguments?: Record<string, unknown>;
  /** The exchange's arguments. */
  exchangeArguments?: Record<string, unknown>;
}

export interface Binding {
  readonly source: string;
  readonly destination: string;
  readonly destinationType: 'queue' | 'exchange';
  readonly pattern: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Deliveries, returns included, after which a quorum queue dead-letters by itself: RabbitMQ 4's default, the same on every version. */
const DELIVERY_LIMIT = 20;

/** Dead letters wait to be looked at, and each look counts as a delivery: in effect no limit. `-1` would drop them on RabbitMQ 3. */
const NO_DELIVERY_LIMIT = 1_000_000_000;

/** Fills in the defaults, and the arguments without which a broker would drop what it cannot deliver. */
export function queueOf(given: string | QueueOptions): Queue {
  // Spread, so that a missing one is told as a missing name.
  const options: QueueOptions = typeof given === 'string' ? { name: given } : { ...given };
  const { name, durable = true, autoDelete = false, exclusive = false, declare = true } = options;
  requireName('queue', name);
  const temporary = autoDelete || exclusive;
  const type = options.type ?? (durable && !temporary ? 'quorum' : 'classic');
  if (type === 'quorum' && (!durable || temporary)) {
    throw new InvalidOptionError({
      option: `queue "${name}"`,
      expected: 'type "classic" for a queue that is not durable, exclusive or auto-delete',
      got: type,
    });
  }
  const deadLetter = deadLetterOf(name, options.deadLetter ?? (declare && !temporary));
  return {
    name,
    declare,
    durable,
    autoDelete,
    exclusive,
    deadLetter,
    arguments: { ...safeArguments(type, deadLetter), ...options.arguments },
  };
}

function deadLetterOf(queue: string, given: boolean | DeadLetterOptions): Required<DeadLetterOptions> | undefined {
  if (given === false) return undefined;
  return { exchange: '', routingKey: `${queue}.dead`, ...(given === true ? {} : given) };
}

/** At-least-once dead-lettering needs `reject-publish`: rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering. */
function safeArguments(type: 'quorum' | 'classic', deadLetter: Required<DeadLetterOptions> | undefined): Record<string, unknown> {
  return {
    'x-queue-type': type,
    ...(deadLetter && { 'x-dead-letter-exchange': deadLetter.exchange, 'x-dead-letter-routing-key': deadLetter.routingKey }),
    ...(type === 'quorum' && { 'x-delivery-limit': DELIVERY_LIMIT }),
    ...(type === 'quorum' && deadLetter && { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' }),
  };
}

/** The queue for dead letters: a quorum queue whose messages stay until somebody takes them. */
export function deadLetterQueue(name: string): Queue {
  return queueOf({ name, deadLetter: false, arguments: { 'x-delivery-limit': NO_DELIVERY_LIMIT } });
}

/** What a worker needs on the broker. Declaring the same thing twice is harmless; in two ways is `ERR_TOPOLOGY_CONFLICT`. */
export class Topology {
  readonly exchanges: Map<string, Exchange> = new Map();
  readonly queues: Map<string, Queue> = new Map();
  readonly bindings: Map<string, Binding> = new Map();

  exchange(name: string, type: ExchangeType, options: ExchangeOptions = {}): this {
    requireName('exchange', name);
    const exchange = { durable: true, autoDelete: false, internal: false, arguments: {}, ...options, name, type };
    return this.#add(this.exchanges, `Exchange "${name}"`, [name, exchange]);
  }

  queue(queue: Queue): this {
    return this.#add(this.queues, `Queue "${queue.name}"`, [queue.name, queue]);
  }

  bindQueue(queue: string, source: string, pattern = '', args: Record<string, unknown> = {}): this {
    return this.#bind({ source, destination: queue, destinationType: 'queue', pattern, arguments: args });
  }

  bindExchange(destination: string, source: string, pattern = '', args: Record<string, unknown> = {}): this {
    return this.#bind({ source, destination, destinationType: 'exchange', pattern, arguments: args });
  }

  /** The queue, its dead-letter queue, and the exchanges it is bound to. */
  boundQueue(queue: Queue, bindings: readonly BindingOptions[]): this {
    const { deadLetter } = queue;
    if (deadLetter?.exchange === '') this.queue(deadLetterQueue(deadLetter.routingKey));
    if (queue.declare) this.queue(queue);
    for (const { exchange, type, pattern, arguments: args, exchangeArguments, ...options } of bindings) {
      if (type) this.exchange(exchange, type, { ...options, arguments: exchangeArguments ?? {} });
      this.bindQueue(queue.name, exchange, pattern, args);
    }
    return this;
  }

  #bind(binding: Binding): this {
    const key = JSON.stringify(binding);
    if (!this.bindings.has(key)) this.bindings.set(key, binding);
    return this;
  }

  #add<T>(entries: Map<string, T>, what: string, [name, entry]: [string, T]): this {
    const first = entries.get(name);
    if (first && !isDeepStrictEqual(first, entry)) throw new TopologyConflictError({ what, first, second: entry });
    if (!first) entries.set(name, entry);
    return this;
  }
}

/** Names are short strings: at most 255 bytes (AMQP 0-9-1, section 4.2.5.3). */
function requireName(what: string, name: unknown): void {
  if (typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 255) return;
  throw new InvalidOptionError({ option: `${what} name`, expected: 'text of 1 to 255 bytes', got: name });
}
