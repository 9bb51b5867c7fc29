import { WorkerError } from '@warren/core';
import { Deadline } from './deadline.js';
import { StoreClosedError, StoreTimeoutError, StoreUnavailableError } from './errors.js';
import { checkKey, checkPrefix, checkTtl, checkValue } from './limits.js';
import type { Entry, ListedEntry, PutOptions, Store } from './store.js';

/** What a store is made of. Its `list` may give undefined where it has looked, and has to look further: each look has a deadline of its own. */
export interface StoreClient extends Omit<Store, 'list'> {
  list(prefix: string): AsyncIterable<ListedEntry | undefined>;
}

export interface GuardOptions<S extends StoreClient> {
  /** For messages: the store's URL without its password. */
  readonly name: string;
  /** Milliseconds that a call may take, the opening that it waits for included. */
  readonly timeout: number;
  /**
   * Connects; called at the first call, and again at the next one if it rejects. The store that it gives is asked for nothing beyond
   * the limits and for nothing after its `close`; it repairs its own connections, and may throw whatever its client throws.
   */
  readonly open: () => Promise<S>;
}

/** What every implementation of the port has in common: limits, deadlines, its errors, opening when it is needed, and an end. */
export class GuardedStore<S extends StoreClient = StoreClient> implements Store {
  protected readonly options: GuardOptions<S>;
  #opening: Promise<S> | undefined;
  #opened: S | undefined;
  #closing: Promise<void> | undefined;
  readonly #calls = new Set<Promise<unknown>>();

  constructor(options: GuardOptions<S>) {
    this.options = options;
  }

  async get(key: string): Promise<Entry | undefined> {
    checkKey(key);
    return this.call((store) => store.get(key));
  }

  async putIfAbsent(key: string, value: string, options: PutOptions = {}): Promise<number | undefined> {
    checkKey(key);
    checkValue(value);
    checkTtl(options.ttl);
    return this.call((store) => store.putIfAbsent(key, value, options));
  }

  async replaceIfVersion(
    key: string,
    version: number,
    change: { readonly value: string } & PutOptions,
  ): Promise<number | undefined> {
    checkKey(key);
    checkValue(change.value);
    checkTtl(change.ttl);
    return this.call((store) => store.replaceIfVersion(key, version, change));
  }

  async deleteIfVersion(key: string, version: number): Promise<boolean> {
    checkKey(key);
    return this.call((store) => store.deleteIfVersion(key, version));
  }

  /** The deadline is that of each step. */
  async *list(prefix: string): AsyncGenerator<ListedEntry> {
    checkPrefix(prefix);
    const entries = await this.call(async (store) => store.list(prefix)[Symbol.asyncIterator]());
    try {
      for (;;) {
        const { done, value } = await this.call(() => entries.next());
        if (done) return;
        if (value) yield value;
      }
    } finally {
      // Not awaited: a step that was late is still under way.
      void Promise.resolve(entries.return?.()).catch(() => {});
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  protected call<R>(ask: (store: S) => Promise<R>): Promise<R> {
    return this.counted(() => this.ask(ask));
  }

  /** Refuses after `close`, which waits for what was begun before. */
  protected async counted<R>(run: () => Promise<R>): Promise<R> {
    if (this.#closing) throw new StoreClosedError({ store: this.options.name });
    const call = run();
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Asks the implementation: it answers on time, or an error of ours says why not. */
  protected ask<R>(ask: (store: S) => Promise<R>): Promise<R> {
    return this.#onTime(async (deadline) => {
      const store = this.#opened ?? (await deadline.bound(this.#open()));
      return deadline.bound(ask(store));
    });
  }

  async #onTime<R>(answer: (deadline: Deadline) => Promise<R>): Promise<R> {
    const { name, timeout } = this.options;
    try {
      return await answer(new Deadline(timeout, () => new StoreTimeoutError({ store: name, ms: timeout })));
    } catch (error) {
      throw error instanceof WorkerError ? error : new StoreUnavailableError({ store: name, cause: error });
    }
  }

  /** One opening at a time; one that failed is tried again by the next call. */
  #open(): Promise<S> {
    this.#opening ??= this.options.open().then(
      (store) => (this.#opened = store),
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  /** A call has its own deadline; a transaction may take longer, and is left behind. */
  async #close(): Promise<void> {
    await this.#onTime((deadline) => deadline.bound(Promise.allSettled(this.#calls))).catch(() => {});
    const closed = this.#opening?.then(
      (store) => store.close(),
      () => {},
    );
    if (closed) await this.#onTime((deadline) => deadline.bound(closed));
  }
}
