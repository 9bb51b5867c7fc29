import { StoreTimeoutError } from '@warren/store';
import type { Entry, ListedEntry, PutOptions, Store, Transaction, TransactionalStore } from '@warren/store';

/** A store that can be taken away. */
export class BreakableStore implements Store {
  readonly #store: Store;
  /** What calls reject with, while it is set. */
  broken: Error | undefined;
  /** Whether a broken store makes the change nevertheless, and only its answer is lost. */
  deaf = false;
  calls = 0;
  closed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#answer(() => this.#store.get(key));
  }

  putIfAbsent(key: string, value: string, options?: PutOptions): Promise<number | undefined> {
    return this.#answer(() => this.#store.putIfAbsent(key, value, options));
  }

  replaceIfVersion(key: string, version: number, change: { readonly value: string } & PutOptions): Promise<number | undefined> {
    return this.#answer(() => this.#store.replaceIfVersion(key, version, change));
  }

  deleteIfVersion(key: string, version: number): Promise<boolean> {
    return this.#answer(() => this.#store.deleteIfVersion(key, version));
  }

  list(prefix: string): AsyncIterable<ListedEntry> {
    return this.#store.list(prefix);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.#store.close();
  }

  async #answer<R>(call: () => Promise<R>): Promise<R> {
    this.calls++;
    if (!this.broken) return call();
    if (this.deaf) await call();
    throw this.broken;
  }
}

/** A store that commits, and whose answer to that is lost. */
export class ForgetfulStore extends BreakableStore implements TransactionalStore {
  readonly #transactional: TransactionalStore;

  constructor(store: TransactionalStore) {
    super(store);
    this.#transactional = store;
  }

  async transaction<T>(work: (transaction: Transaction, store: Store) => Promise<T>): Promise<T> {
    await this.#transactional.transaction(work);
    throw new StoreTimeoutError({ store: 'postgres:', ms: 5_000 });
  }
}
