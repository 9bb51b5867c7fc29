import type { Transaction } from '@warren/store';
import { TransactionOverError } from './errors.js';

/**
 * A transaction's client, as its handler has it: until the handler has ended, or has been given up. What a handler still asks for after its
 * timeout would be done outside the transaction, or in that of another job, which has the connection by then.
 */
export class LentClient {
  readonly client: Transaction;
  #over = false;

  constructor(client: Transaction) {
    this.client = new Proxy(client, { get: (target, name) => (name === 'query' && this.#over ? refuse : member(target, name)) });
  }

  takeBack(): void {
    this.#over = true;
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new TransactionOverError());
}

/** Methods are the client's own: called on the proxy they could not reach its private fields. */
function member(target: Transaction, name: PropertyKey): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}
