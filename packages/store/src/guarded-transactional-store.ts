import { GuardedStore } from './guarded-store.js';
import type { Store, Transaction, TransactionalStore } from './store.js';

/** A transaction that has begun, on a connection of its own; `commit` and `rollback` give that back, however they end. */
export interface OpenTransaction {
  readonly client: Transaction;
  /** The store inside the transaction; its `close` does nothing. */
  readonly store: Store;
  /** Rejects unless the server has said that everything is committed. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** What an implementation with transactions gives to `GuardedTransactionalStore`. */
export interface TransactionOpener extends Store {
  begin(): Promise<OpenTransaction>;
}

/** `GuardedStore`, for an implementation that has transactions. */
export class GuardedTransactionalStore extends GuardedStore<TransactionOpener> implements TransactionalStore {
  /** Beginning, committing and rolling back have a deadline each, `work` has none. */
  transaction<T>(work: (transaction: Transaction, store: Store) => Promise<T>): Promise<T> {
    return this.counted(async () => {
      const transaction = await this.#begin();
      let result: T;
      try {
        result = await this.#inside(transaction, work);
      } catch (error) {
        await this.ask(() => transaction.rollback()).catch(() => {});
        throw error;
      }
      await this.ask(() => transaction.commit());
      return result;
    });
  }

  async #begin(): Promise<OpenTransaction> {
    let beginning: Promise<OpenTransaction> | undefined;
    try {
      return await this.ask((store) => (beginning = store.begin()));
    } catch (error) {
      // It may begin after all, too late.
      void beginning?.then((transaction) => transaction.rollback()).catch(() => {});
      throw error;
    }
  }

  /** What the work did not wait for belongs to the transaction, too. */
  async #inside<T>(transaction: OpenTransaction, work: (transaction: Transaction, store: Store) => Promise<T>): Promise<T> {
    const store = new GuardedStore({ ...this.options, open: () => Promise.resolve(transaction.store) });
    try {
      return await work(transaction.client, store);
    } finally {
      await store.close();
    }
  }
}
