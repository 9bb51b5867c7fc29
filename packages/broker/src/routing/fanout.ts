import type { Binding, Destination } from './binding.js';
import type { BindingIndex, Routable } from './exchange.js';

/** Fanout exchanges (specification 3.1.3.2): every binding matches. */
export class FanoutIndex implements BindingIndex {
  readonly #bindings = new Set<Binding>();

  add(binding: Binding): void {
    this.#bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding);
  }

  match(_message: Routable, found: (destination: Destination) => void): void {
    for (const binding of this.#bindings) found(binding.destination);
  }
}
