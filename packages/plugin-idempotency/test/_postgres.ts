import { randomUUID } from 'node:crypto';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import { createStore, isTransactional, Records } from '@warren/store';
import type { Store, TransactionalStore } from '@warren/store';
import { startPostgres } from '@warren/store-servers';
import type { PrivateServer } from '@warren/store-servers';
import type { ExecutionContext } from 'ava';
import { Client } from 'pg';
import idempotency from '../src/index.js';
import type { KeyRecord } from '../src/record.js';

let server: Promise<PrivateServer> | undefined;

export interface Bench {
  readonly worker: TestWorker;
  readonly store: TransactionalStore;
  readonly records: Records<KeyRecord>;
  readonly client: Client;
  /** A table of one column, `id`, that is unique when a transaction is committed. */
  readonly table: string;
  readonly ids: () => Promise<number[]>;
}

export interface BenchOptions {
  readonly wrap?: (store: TransactionalStore) => Store;
  /** Added to the store's URL. */
  readonly url?: string;
  readonly timeout?: number;
}

/** A worker on a real PostgreSQL; what it was given ends with the test. */
export async function bench(
  t: ExecutionContext,
  { wrap = (store) => store, url: options = '', timeout }: BenchOptions = {},
): Promise<Bench> {
  const { url } = await (server ??= startPostgres());
  const store = createStore(url + options, timeout === undefined ? {} : { timeout });
  if (!isTransactional(store)) throw new Error('PostgreSQL has transactions.');
  const worker = createTestWorker({ plugins: [delay(), idempotency({ store: wrap(store), lease: '30s' })] });
  const client = new Client({ connectionString: url });
  await client.connect();
  t.teardown(async () => {
    await worker.stop();
    await client.end();
    await store.close();
  });
  const table = `effects_${randomUUID().replaceAll('-', '')}`;
  await client.query(`CREATE TABLE ${table} (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)`);
  const ids = async (): Promise<number[]> =>
    (await client.query<{ id: number }>(`SELECT id FROM ${table}`)).rows.map(({ id }) => id);
  return { worker, store, records: new Records(store, 'idempotency/'), client, table, ids };
}
