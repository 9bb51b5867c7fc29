import { Socket } from 'node:net';
import type * as pg from 'pg';

export interface PostgresAddress {
  /** As pg takes it. */
  readonly url: string;
  /** Milliseconds that connecting, and each statement of the store, may take. */
  readonly timeout: number;
  /** Transactions that may be open at once. */
  readonly transactions: number;
}

/** Connections for the store's own statements, which take a millisecond. */
const CONNECTIONS = 4;

/** Two pools, so that transactions, which last as long as handlers, never keep a lease from being renewed. */
export class PostgresPools {
  readonly calls: pg.Pool;
  readonly transactions: pg.Pool;
  readonly #sockets = new Set<Socket>();
  readonly #timeout: number;

  constructor({ Pool }: typeof pg, { url, timeout, transactions }: PostgresAddress) {
    const config: pg.PoolConfig = {
      connectionString: url,
      connectionTimeoutMillis: timeout,
      keepAlive: true,
      stream: () => this.#socket(),
    };
    this.#timeout = timeout;
    // The server ends what nobody waits for any more, as behind a locked row; the client gives up a connection that does not answer.
    const limits = { statement_timeout: timeout, query_timeout: timeout + 500 };
    this.calls = new Pool({ ...config, ...limits, max: CONNECTIONS });
    this.transactions = new Pool({ ...config, max: transactions });
    for (const pool of [this.calls, this.transactions]) pool.on('error', () => {}); // an idle connection broke: the pool has dropped it
  }

  /** Says goodbye on idle connections; cuts what is not closed in time. */
  async end(): Promise<void> {
    const cut = setTimeout(() => this.#cut(), this.#timeout);
    await Promise.all([this.calls.end(), this.transactions.end()]);
    clearTimeout(cut);
  }

  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
