import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres, withPostgres } from '@warren/store-servers';
import anyTest, { type ExecutionContext } from 'ava';
import type { Client } from 'pg';
import { createStore, isTransactional, type TransactionalStore } from '../src/index.js';
import { ownPrefix } from './_keys.js';
import { answer } from './_patience.js';
import { ownTable, postgresClient, postgresUrl } from './_postgres.js';

const test = withPostgres(anyTest.serial);
const TIMEOUT = 5_000;

function transactional(t: ExecutionContext, url: string, timeout: number = TIMEOUT): TransactionalStore {
  const store = createStore(url, { timeout });
  t.teardown(() => store.close().catch(() => {}));
  if (!isTransactional(store)) throw new Error('It has no transactions.');
  return store;
}

interface Bench {
  readonly store: TransactionalStore;
  readonly client: Client;
  /** A table of the user's, with the column `effect`. */
  readonly effects: string;
  readonly key: string;
  /** What of a transaction others see. */
  readonly seen: () => Promise<{ effects: number; record: string | undefined }>;
}

async function bench(t: ExecutionContext, options = ''): Promise<Bench> {
  const store = transactional(t, await postgresUrl(options));
  const client = await postgresClient(t);
  const [effects, key] = [ownTable(), ownPrefix()];
  await client.query(`CREATE TABLE ${effects} (effect text PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)`);
  const seen = async () => ({
    effects: (await client.query(`SELECT FROM ${effects}`)).rowCount ?? 0,
    record: (await store.get(key))?.value,
  });
  return { store, client, effects, key, seen };
}

const NOTHING = { effects: 0, record: undefined };

test('What a transaction does is seen by others when it has been committed, and not before.', async (t) => {
  const { store, effects, key, seen } = await bench(t);
  const result = await store.transaction(async (transaction, inside) => {
    await transaction.query(`INSERT INTO ${effects} VALUES ($1)`, ['paid']);
    const version = (await inside.putIfAbsent(key, 'running', { ttl: 60_000 })) ?? NaN;
    t.is(await inside.putIfAbsent(key, 'again'), undefined);
    t.true(((await inside.replaceIfVersion(key, version, { value: 'done' })) ?? NaN) > version);
    t.is((await inside.get(key))?.value, 'done');
    for await (const entry of inside.list(key)) t.is(entry.value, 'done');
    t.deepEqual(await seen(), NOTHING);
    return 'result';
  });
  t.is(result, 'result');
  t.deepEqual(await seen(), { effects: 1, record: 'done' });
});

test('The store finds its table in a transaction whose search path was changed.', async (t) => {
  const { store, client, key, seen } = await bench(t);
  const schema = `it's "${ownTable()}`;
  await client.query(`CREATE SCHEMA ${client.escapeIdentifier(schema)}`);
  await store.transaction(async (transaction, inside) => {
    await transaction.query(`SET LOCAL search_path = ${client.escapeIdentifier(schema)}`);
    const version = (await inside.putIfAbsent(key, 'running')) ?? NaN;
    t.truthy(await inside.replaceIfVersion(key, version, { value: 'done' }));
  });
  t.is((await seen()).record, 'done');
});

test('A table is made and found in the first schema of the search path, whatever its name is.', async (t) => {
  const client = await postgresClient(t);
  const schema = `it's "${ownTable()}`;
  await client.query(`CREATE SCHEMA ${client.escapeIdentifier(schema)}`);
  const path = encodeURIComponent(`-c search_path=${client.escapeIdentifier(schema).replaceAll(' ', String.raw`\ `)}`);
  for (const value of ['first', undefined]) {
    const store = transactional(t, await postgresUrl(`?options=${path}`));
    t.is(typeof (await store.putIfAbsent('key', 'first')), value ? 'number' : 'undefined');
  }
  const { rows } = await client.query(`SELECT value FROM ${client.escapeIdentifier(schema)}.warren_store`);
  t.deepEqual(rows, [{ value: 'first' }]);
});

test('A transaction whose work rejects does nothing at all, and rejects with the same.', async (t) => {
  const { store, effects, key, seen } = await bench(t);
  const failure = new Error('the work has failed');
  const work = store.transaction(async (transaction, inside) => {
    await transaction.query(`INSERT INTO ${effects} VALUES ('paid')`);
    await inside.putIfAbsent(key, 'done');
    throw failure;
  });
  t.is(await t.throwsAsync(work), failure);
  t.deepEqual(await seen(), NOTHING);
});

test('A deletion that is rolled back has not happened.', async (t) => {
  const { store, key } = await bench(t);
  const version = (await store.putIfAbsent(key, 'kept')) ?? NaN;
  const work = store.transaction(async (_, inside) => {
    t.true(await inside.deleteIfVersion(key, version));
    t.is(await inside.get(key), undefined);
    throw new Error('no');
  });
  await t.throwsAsync(work, { message: 'no' });
  t.like(await store.get(key), { value: 'kept', version });
});

test('Work that goes on after a statement has failed is told that nothing was committed.', async (t) => {
  const { store, effects, key, seen } = await bench(t);
  const work = store.transaction(async (transaction, inside) => {
    await inside.putIfAbsent(key, 'done');
    await transaction.query(`INSERT INTO ${effects} VALUES ('paid')`);
    await transaction.query('SELECT nonsense').catch(() => {});
  });
  await t.throwsAsync(work, { code: 'ERR_STORE_NOT_COMMITTED', message: /a statement in it had failed/ });
  t.deepEqual(await seen(), NOTHING);
});

test('A constraint that is checked at the end refuses the commit, with its own error as the cause.', async (t) => {
  const { store, effects, key, seen } = await bench(t);
  const work = store.transaction(async (transaction, inside) => {
    await inside.putIfAbsent(key, 'done');
    await transaction.query(`INSERT INTO ${effects} VALUES ('paid'), ('paid')`);
  });
  const error = await t.throwsAsync(work, { code: 'ERR_STORE_NOT_COMMITTED' });
  t.like(error?.cause, { code: '23505' });
  t.deepEqual(await seen(), NOTHING);
});

test('A connection that is killed in the middle rejects, leaves nothing, and is replaced.', async (t) => {
  const { store, client, effects, key, seen } = await bench(t, '?transactions=1');
  for (const notices of [true, false]) {
    const work = store.transaction(async (transaction, inside) => {
      await transaction.query(`INSERT INTO ${effects} VALUES ('paid')`);
      await inside.putIfAbsent(key, 'done');
      const { rows } = await transaction.query('SELECT pg_backend_pid() AS pid');
      await client.query('SELECT pg_terminate_backend($1, 5000)', [rows[0]?.['pid']]);
      if (notices) await transaction.query('SELECT 1');
    });
    await (notices
      ? t.throwsAsync(work, { message: /terminating connection|not queryable/ })
      : t.throwsAsync(work, { code: 'ERR_STORE_UNAVAILABLE' }));
    t.deepEqual(await seen(), NOTHING);
  }
  t.is(await store.transaction(async () => 'works'), 'works');
});

test('Transactions that last keep no call waiting; one too many times out, and those after it work.', async (t) => {
  const store = transactional(t, await postgresUrl('?transactions=2'), 2_000);
  await answer(() => store.get('connected'));
  const ends: Array<() => void> = [];
  const lasting = [1, 2].map(() => store.transaction(() => new Promise<void>((resolve) => ends.push(resolve))));
  while (ends.length < 2) await sleep(5);
  await Promise.all(Array.from({ length: 100 }, (_, index) => store.get(`key ${index}`)));
  await t.throwsAsync(
    store.transaction(async () => {}),
    { code: 'ERR_STORE_TIMEOUT' },
  );
  for (const end of ends) end();
  await Promise.all(lasting);
  await Promise.all(Array.from({ length: 10 }, () => store.transaction(async (_, inside) => inside.get('key'))));
  t.pass();
});

test('Two transactions that claim a key at once: one gets it, the other waits for how that ends.', async (t) => {
  const { store, key } = await bench(t);
  for (const commits of [true, false]) {
    const claimed = store.transaction(async (_, inside) => {
      await inside.putIfAbsent(key + commits, 'first');
      const other = store.transaction((_, inside) => inside.putIfAbsent(key + commits, 'second'));
      t.is(await Promise.race([other, sleep(200, 'waits')]), 'waits');
      if (!commits) throw Object.assign(new Error('no'), { other });
      return { other };
    });
    const { other } = await claimed.catch((error: { other: Promise<unknown> }) => error);
    t.is((await other) === undefined, commits);
  }
});

test('A server that is frozen at the commit is a timeout, and the connection is given up.', async (t) => {
  await using server = await startPostgres();
  const store = transactional(t, `${server.url}?transactions=1`, 2_000);
  await answer(() => store.get('connected'));
  const work = store.transaction(async (_, inside) => {
    await inside.putIfAbsent('key', 'done');
    server.freeze();
  });
  await t.throwsAsync(work, { code: 'ERR_STORE_TIMEOUT' });
  server.thaw();
  // It may have been committed or not, and one can look.
  const found = await answer(() => store.transaction((_, inside) => inside.get('key')));
  t.true(found === undefined || found.value === 'done');
});
