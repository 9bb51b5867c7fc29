import { Socket } from 'node:net';
import type * as pg from 'pg';
import { PATIENCE } from './server-url.js';

export interface PostgresAddress {
  /** As pg takes it. */
  readonly url: string;
  /** Milliseconds that connecting, and a statement of the store, may take. */
  readonly patience: number;
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
  readonly #patience: number;

  constructor({ Pool }: typeof pg, { url, patience, transactions }: PostgresAddress) {
    const config: pg.PoolConfig = {
      connectionString: url,
      connectionTimeoutMillis: patience,
      keepAlive: true,
      stream: () => this.#socket(),
    };
    this.#patience = patience;
    // The server ends what nobody waits for any more, as behind a locked row. A connection on which it does not is given up.
    const limits = { statement_timeout: patience, query_timeout: patience + PATIENCE };
    this.calls = new Pool({ ...config, ...limits, max: CONNECTIONS });
    this.transactions = new Pool({ ...config, max: transactions });
    for (const pool of [this.calls, this.transactions]) pool.on('error', () => {}); // an idle connection broke: the pool has dropped it
  }

  /** Says goodbye on idle connections; cuts what is not closed in time. */
  async end(): Promise<void> {
    const sockets = [...this.#sockets];
    const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), this.#patience);
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.all([this.calls.end(), this.transactions.end(), ...closed]); // a pool does not wait for its sockets
    clearTimeout(cut);
  }

  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
