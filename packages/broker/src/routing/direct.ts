import type { Binding, Destination } from './binding.js';
import type { BindingIndex, Routable } from './exchange.js';

/** Direct exchanges (specification 3.1.3.1): the routing key equals the binding key. */
export class DirectIndex implements BindingIndex {
  readonly #byKey = new Map<string, Set<Binding>>();

  add(binding: Binding): void {
    const bindings = this.#byKey.get(binding.routingKey);
    if (bindings === undefined) this.#byKey.set(binding.routingKey, new Set([binding]));
    else bindings.add(binding);
  }

  remove(binding: Binding): void {
    const bindings = this.#byKey.get(binding.routingKey);
    bindings?.delete(binding);
    if (bindings?.size === 0) this.#byKey.delete(binding.routingKey);
  }

  match({ routingKey }: Routable, found: (destination: Destination) => void): void {
    for (const binding of this.#byKey.get(routingKey) ?? []) found(binding.destination);
  }
}
