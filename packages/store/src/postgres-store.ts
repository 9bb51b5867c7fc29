import type * as pgPackage from 'pg';
import type { OpenTransaction, TransactionOpener } from './guarded-transactional-store.js';
import { type PostgresAddress, PostgresPools } from './postgres-pools.js';
import { PostgresRecords } from './postgres-records.js';
import { type Statements, statementsFor, tableStatements } from './postgres-table.js';
import { PostgresTransaction } from './postgres-transaction.js';

const SWEEP_EVERY = 60_000;
/** Records that one statement sweeps: it takes milliseconds, and locks no more. */
const SWEEP_AT_ONCE = 500;

/** Records in a table of PostgreSQL, which is made when it is not there. */
export class PostgresStore extends PostgresRecords implements TransactionOpener {
  readonly #sql: Statements;
  readonly #pools: PostgresPools;
  readonly #patience: number;
  readonly #sweeping: NodeJS.Timeout;

  private constructor(pools: PostgresPools, { sql, patience }: { sql: Statements; patience: number }) {
    super(sql, pools.calls);
    this.#sql = sql;
    this.#pools = pools;
    this.#patience = patience;
    this.#sweeping = setInterval(() => void this.sweep().catch(() => {}), SWEEP_EVERY).unref(); // tried again at the next tick
  }

  static async open(pg: typeof pgPackage, address: PostgresAddress & { readonly table: string }): Promise<PostgresStore> {
    const { table, patience } = address;
    const pools = new PostgresPools(pg, address);
    try {
      return new PostgresStore(pools, { sql: statementsFor(table, await schemaOf(table, pools.calls)), patience });
    } catch (error) {
      void pools.end();
      throw error;
    }
  }

  async begin(): Promise<OpenTransaction> {
    const connection = await this.#pools.transactions.connect();
    return PostgresTransaction.begin(connection, { sql: this.#sql, patience: this.#patience });
  }

  /** Deletes what has been over for a minute, in small batches. Several processes may sweep at once. */
  async sweep(): Promise<void> {
    let swept: number;
    do {
      swept = (await this.#pools.calls.query(this.#sql.sweep, [SWEEP_AT_ONCE])).rowCount ?? 0;
    } while (swept === SWEEP_AT_ONCE);
  }

  override async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#pools.end();
  }
}

/** Of the table, which is made where it is not there. */
async function schemaOf(table: string, pool: pgPackage.Pool): Promise<string> {
  const { find, create } = tableStatements(table);
  for (;;) {
    const { rows } = await pool.query<{ schema: string }>(find);
    if (rows[0]) return rows[0].schema;
    await pool.query(create);
  }
}
