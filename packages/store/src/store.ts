import { token } from '@warren/core';
import type { Token } from '@warren/core';

/**
 * A record as a store gives it. `version` is a whole number that grows with every write of a key, also over its deletion and
 * expiry: of two versions of a key the greater one is the later, which is what a fencing token needs.
 */
export interface Entry {
  readonly value: string;
  readonly version: number;
  /** Milliseconds since it was written, by the store's own clock. */
  readonly age: number;
}

export interface ListedEntry extends Entry {
  readonly key: string;
}

export interface PutOptions {
  /** Milliseconds until the record expires, by the store's own clock; without it the record stays. */
  readonly ttl?: number | undefined;
}

/**
 * Small records by key: text of up to 256 KiB under keys of 1 to 500 bytes. Every change is atomic, durable where the store is,
 * and seen by all who share it. A record whose time is over is not there. Every call ends within the store's timeout. Rejects with
 * `ERR_STORE_UNAVAILABLE` or `ERR_STORE_TIMEOUT` where the store does not answer (a change may then have happened or not), with
 * `ERR_STORE_LIMIT` where a key, a value or the number of records is beyond what it takes, with `ERR_STORE_CLOSED` after `close`.
 */
export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** The new record's version; undefined where there is one already. */
  putIfAbsent(key: string, value: string, options?: PutOptions): Promise<number | undefined>;
  /** Replaces the value and the expiry. The new version; undefined where the record is not there, or not in that version. */
  replaceIfVersion(key: string, version: number, change: { readonly value: string } & PutOptions): Promise<number | undefined>;
  /** Whether the record was there in that version; then it is gone. */
  deleteIfVersion(key: string, version: number): Promise<boolean>;
  /** All records whose keys begin with `prefix`, in no order; those that change meanwhile may be missing or come in either state. */
  list(prefix: string): AsyncIterable<ListedEntry>;
  /** Ends its connections. What was asked for before is answered first. */
  close(): Promise<void>;
}

/** What a PostgreSQL client is, as far as a handler's transaction needs one; the object itself is a client of `pg`. */
export interface Transaction {
  query(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: Array<Record<string, unknown>>; readonly rowCount: number | null }>;
}

/** A store whose records can change in one transaction with a user's own tables. */
export interface TransactionalStore extends Store {
  /**
   * Runs `work` in a transaction, on a connection of its own: commits when it resolves, rolls back when it rejects, and then rejects
   * with the same. `store` is this store inside the transaction: what it changes is seen by others when that commits.
   */
  transaction<T>(work: (transaction: Transaction, store: Store) => Promise<T>): Promise<T>;
}

export function isTransactional(store: Store): store is TransactionalStore {
  return typeof (store as Partial<TransactionalStore>).transaction === 'function';
}

/** The store that a worker's plugins share, unless they were given their own. Register another one before `start()` to replace it. */
export const STORE: Token<Store> = token('store');
