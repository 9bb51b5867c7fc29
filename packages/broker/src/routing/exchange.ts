import type { FieldTable } from '../amqp/field-table.js';
import { textOf } from '../amqp/fields.js';
import { bindingIdentity, type Binding, type Destination } from './binding.js';
import { DirectIndex } from './direct.js';
import { FanoutIndex } from './fanout.js';
import { checkHeadersBinding, HeadersIndex } from './headers.js';
import { TopicIndex } from './topic.js';

/** What an exchange looks at in a message. */
export interface Routable {
  readonly routingKey: string;
  headers(): FieldTable;
}

/** The bindings of an exchange in a form that its type can search. A destination may be found more than once. */
export interface BindingIndex {
  add(binding: Binding): void;
  remove(binding: Binding): void;
  match(message: Routable, found: (destination: Destination) => void): void;
}

export type ExchangeType = 'direct' | 'fanout' | 'topic' | 'headers';

const INDEXES: Readonly<Record<ExchangeType, () => BindingIndex>> = {
  direct: () => new DirectIndex(),
  fanout: () => new FanoutIndex(),
  topic: () => new TopicIndex(),
  headers: () => new HeadersIndex(),
};

export function isExchangeType(type: string): type is ExchangeType {
  return Object.hasOwn(INDEXES, type);
}

export interface ExchangeProperties {
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
}

export class Exchange implements Destination, ExchangeProperties {
  readonly kind = 'exchange';
  readonly incoming: Set<Binding> = new Set();
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
  /** Where messages go that no binding matches. */
  readonly alternate: string | undefined;
  readonly #bindings = new Map<string, Binding>();
  readonly #index: BindingIndex;

  constructor(properties: ExchangeProperties) {
    this.name = properties.name;
    this.type = properties.type;
    this.durable = properties.durable;
    this.autoDelete = properties.autoDelete;
    this.internal = properties.internal;
    this.arguments = properties.arguments;
    this.alternate = textOf(properties.arguments.get('alternate-exchange'));
    this.#index = INDEXES[properties.type]();
  }

  get bindings(): Iterable<Binding> {
    return this.#bindings.values();
  }

  /** Messages come through here or are routed on from here. */
  get inUse(): boolean {
    return this.#bindings.size > 0;
  }

  /** The new binding; undefined when there already is the same one. */
  bind(destination: Destination, routingKey: string, args: FieldTable): Binding | undefined {
    if (this.type === 'headers') checkHeadersBinding(args);
    const binding: Binding = { source: this, destination, routingKey, arguments: args };
    const identity = bindingIdentity(binding);
    if (this.#bindings.has(identity)) return undefined;
    this.#bindings.set(identity, binding);
    this.#index.add(binding);
    destination.incoming.add(binding);
    return binding;
  }

  /** The binding that was removed; undefined when there was none. */
  unbind(destination: Destination, routingKey: string, args: FieldTable): Binding | undefined {
    const identity = bindingIdentity({ destination, routingKey, arguments: args });
    const binding = this.#bindings.get(identity);
    if (binding === undefined) return undefined;
    this.#bindings.delete(identity);
    this.#index.remove(binding);
    destination.incoming.delete(binding);
    return binding;
  }

  match(message: Routable, found: (destination: Destination) => void): void {
    this.#index.match(message, found);
  }
}
