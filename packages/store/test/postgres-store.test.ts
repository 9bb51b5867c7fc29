import { withPostgres } from '@warren/store-servers';
import anyTest, { type ExecutionContext } from 'ava';
import * as pg from 'pg';
import { PostgresStore } from '../src/postgres-store.js';
import { ownTable, postgresClient, postgresUrl } from './_postgres.js';

const test = withPostgres(anyTest);

async function open(t: ExecutionContext, table: string): Promise<PostgresStore> {
  const address = { url: await postgresUrl(), table, patience: 20_000, transactions: 1 };
  const store = await PostgresStore.open(pg, address);
  t.teardown(() => store.close());
  return store;
}

/** Writes records that are over since `minutes`. */
const OVER = (table: string, [prefix, count, minutes]: [string, number, number]): string => `
  INSERT INTO ${table} SELECT '${prefix}' || n, 'value', n, clock_timestamp(), clock_timestamp() - interval '${minutes} minutes'
  FROM generate_series(1, ${count}) AS n`;

test('Sweeping deletes what has been over for a minute, however much it is, and nothing else.', async (t) => {
  const table = ownTable();
  const [store, other] = [await open(t, table), await open(t, table)];
  const client = await postgresClient(t);
  await client.query(OVER(table, ['long over ', 1_234, 2]));
  await client.query(OVER(table, ['just over ', 5, 0.5]));
  await store.putIfAbsent('with time left', 'value', { ttl: 60_000 });
  await store.putIfAbsent('for ever', 'value');
  await Promise.all([store.sweep(), other.sweep(), store.sweep()]);
  const { rows } = await client.query(`SELECT key FROM ${table} ORDER BY key`);
  t.deepEqual(
    rows.map(({ key }) => key),
    ['for ever', ...[1, 2, 3, 4, 5].map((n) => `just over ${n}`), 'with time left'],
  );
});

test('Sweeping waits for no row that is locked.', async (t) => {
  const table = ownTable();
  const store = await open(t, table);
  const client = await postgresClient(t);
  await client.query(OVER(table, ['key ', 3, 2]));
  await client.query('BEGIN');
  await client.query(`SELECT FROM ${table} WHERE key = 'key 2' FOR UPDATE`);
  await store.sweep();
  t.deepEqual((await client.query(`SELECT key FROM ${table}`)).rows, [{ key: 'key 2' }]);
});

test('What is deleted is swept later, and its key is free at once, with a greater version.', async (t) => {
  const table = ownTable();
  const store = await open(t, table);
  const client = await postgresClient(t);
  const first = (await store.putIfAbsent('key', 'secret')) ?? NaN;
  await store.deleteIfVersion('key', first);
  t.deepEqual((await client.query(`SELECT value FROM ${table}`)).rows, [{ value: '' }]);
  const second = (await store.putIfAbsent('key', 'next')) ?? NaN;
  t.true(second > first);
});
