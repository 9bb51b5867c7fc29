import type { PoolClient } from 'pg';
import { TransactionNotCommittedError } from './errors.js';
import type { OpenTransaction } from './guarded-transactional-store.js';
import { PostgresRecords } from './postgres-records.js';
import type { Statements } from './postgres-table.js';
import type { Store, Transaction } from './store.js';

interface TransactionOptions {
  readonly sql: Statements;
  /** Milliseconds that its begin, and its end, may take. */
  readonly patience: number;
}

/** A transaction on a connection of a pool, which gets it back in the end unless it broke. */
export class PostgresTransaction implements OpenTransaction {
  readonly client: Transaction;
  readonly store: Store;
  readonly #connection: PoolClient;
  readonly #patience: number;

  private constructor(connection: PoolClient, { sql, patience }: TransactionOptions) {
    this.#connection = connection;
    this.#patience = patience;
    this.client = connection;
    this.store = new PostgresRecords(sql, this.client);
    connection.on('error', ignore);
  }

  static async begin(connection: PoolClient, options: TransactionOptions): Promise<PostgresTransaction> {
    const transaction = new PostgresTransaction(connection, options);
    try {
      await transaction.#run('BEGIN');
      return transaction;
    } catch (error) {
      transaction.#release(true);
      throw error;
    }
  }

  /** PostgreSQL answers COMMIT with ROLLBACK when a statement had failed, and its constraints may be checked only now. */
  async commit(): Promise<void> {
    try {
      const done = await this.#end('COMMIT');
      if (done !== 'COMMIT') throw new TransactionNotCommittedError({ cause: new Error('a statement in it had failed') });
    } catch (error) {
      throw isRefusal(error) ? new TransactionNotCommittedError({ cause: error }) : error;
    }
  }

  async rollback(): Promise<void> {
    await this.#end('ROLLBACK');
  }

  async #end(statement: 'COMMIT' | 'ROLLBACK'): Promise<string> {
    let broken = true;
    try {
      const done = await this.#run(statement);
      broken = false;
      return done;
    } finally {
      this.#release(broken);
    }
  }

  /** What was done, as PostgreSQL says it. */
  async #run(text: string): Promise<string> {
    const { command } = await this.#connection.query({ text, query_timeout: this.#patience } as { text: string });
    return command;
  }

  #release(broken: boolean): void {
    this.#connection.off('error', ignore);
    this.#connection.release(broken);
  }
}

/** The connection broke while nothing was asked of it: the next thing that is asked fails. */
function ignore(): void {}

/** Whether PostgreSQL has said no, and will say more: FATAL and a lost connection leave open what happened. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}
