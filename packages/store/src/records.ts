import { CorruptRecordError } from './errors.js';
import type { Entry, PutOptions, Store } from './store.js';

/** A record, decoded. */
export interface RecordEntry<T> extends Omit<Entry, 'value'> {
  readonly value: T;
}

/** What of a store is under one prefix, as JSON. */
export class Records<T> {
  readonly #store: Store;
  readonly #prefix: string;

  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<RecordEntry<T> | undefined> {
    const entry = await this.#store.get(this.#prefix + key);
    return entry && { ...entry, value: this.#decode(key, entry.value) };
  }

  putIfAbsent(key: string, value: T, options?: PutOptions): Promise<number | undefined> {
    return this.#store.putIfAbsent(this.#prefix + key, JSON.stringify(value), options);
  }

  replaceIfVersion(key: string, version: number, change: { readonly value: T } & PutOptions): Promise<number | undefined> {
    return this.#store.replaceIfVersion(this.#prefix + key, version, { ...change, value: JSON.stringify(change.value) });
  }

  deleteIfVersion(key: string, version: number): Promise<boolean> {
    return this.#store.deleteIfVersion(this.#prefix + key, version);
  }

  async *list(prefix = ''): AsyncGenerator<RecordEntry<T> & { readonly key: string }> {
    for await (const { key: whole, value, ...entry } of this.#store.list(this.#prefix + prefix)) {
      const key = whole.slice(this.#prefix.length);
      yield { ...entry, key, value: this.#decode(key, value) };
    }
  }

  #decode(key: string, text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new CorruptRecordError({ key: this.#prefix + key, cause });
    }
  }
}
