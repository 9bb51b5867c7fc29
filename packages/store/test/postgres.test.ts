import { withPostgres } from '@warren/store-servers';
import { setTimeout as sleep } from 'node:timers/promises';
import anyTest, { type ExecutionContext } from 'ava';
import { createStore, type Store } from '../src/index.js';
import { claimsOfProcesses } from './_claims.js';
import { conformance } from './_conformance.js';
import { ownTable, postgresClient, postgresUrl } from './_postgres.js';

// One after another: side by side they have two hundred connections, and the machine has better things to do.
const test = withPostgres(anyTest.serial);

async function open(t: ExecutionContext, options = ''): Promise<Store> {
  const store = createStore(await postgresUrl(options), { timeout: 20_000 });
  t.teardown(() => store.close());
  return store;
}

conformance('PostgreSQL', (t) => open(t), { test });

test('Of two processes that claim a key at once one gets it.', async (t) => {
  await claimsOfProcesses(t, await postgresUrl());
});

test('Ten connections that find no table at once make it once, and all work.', async (t) => {
  const table = ownTable();
  const stores = await Promise.all(Array.from({ length: 10 }, () => open(t, `?table=${table}`)));
  const versions = await Promise.all(stores.map((store) => store.putIfAbsent('key', 'value')));
  t.is(versions.filter((version) => version !== undefined).length, 1);
  t.is((await (await open(t)).get('key'))?.value, undefined);
});

test('A user who may not make tables can use one that is there.', async (t) => {
  const table = ownTable();
  const client = await postgresClient(t);
  await (await open(t, `?table=${table}`)).putIfAbsent('key', 'value');
  await client.query(`CREATE ROLE ${table} LOGIN PASSWORD 'se-cret'`);
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${table}; GRANT USAGE ON ${table}_version TO ${table}`);
  const url = Object.assign(new URL(await postgresUrl()), { username: table, password: 'se-cret' });
  const store = createStore(`${url.href}?table=${table}`);
  t.teardown(() => store.close());
  const { version = NaN } = (await store.get('key')) ?? {};
  t.true(await store.deleteIfVersion('key', version));
  t.not(await store.putIfAbsent('key', 'value'), undefined);
  const other = createStore(`${url.href}?table=${ownTable()}`);
  t.teardown(() => other.close());
  const error = await t.throwsAsync(other.get('key'), { code: 'ERR_STORE_UNAVAILABLE', message: /permission denied/ });
  t.notRegex(String(error?.stack), /se-cret/);
});

test('A call behind a locked row times out, and leaves nobody waiting in the server.', async (t) => {
  const table = ownTable();
  const client = await postgresClient(t);
  const store = createStore(await postgresUrl(`?table=${table}`), { timeout: 2_000 });
  t.teardown(() => store.close());
  await store.putIfAbsent('key', 'value');
  await client.query(`BEGIN; SELECT FROM ${table} FOR UPDATE`);
  const { version = NaN } = (await store.get('key')) ?? {};
  await t.throwsAsync(store.replaceIfVersion('key', version, { value: 'next' }), { code: 'ERR_STORE_TIMEOUT' });
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${table}%'`;
  while ((await client.query(waiting)).rowCount) await sleep(20); // waits until AVA's timeout otherwise
  await client.query('COMMIT');
  t.is(await store.replaceIfVersion('key', version, { value: 'later' }).then(Number.isInteger), true);
});

for (const [options, message] of [
  ['table=a%3B%20DROP%20TABLE%20users', /table=a; DROP TABLE users \(expected a-z/],
  ['table=%22quoted%22', /table="quoted"/],
  ['table=', /table= \(expected/],
  [`table=${'a'.repeat(51)}`, /at most 50 characters/],
  ['transactions=0', /transactions=0 \(expected 1 to/],
] as const) {
  anyTest(`The options ${options} are refused at once.`, (t) => {
    const url = `postgres://user:se-cret@localhost/database?${options}`;
    const error = t.throws(() => createStore(url), { code: 'ERR_STORE_URL', message });
    t.notRegex(String(error?.stack), /se-cret/);
  });
}

test('A table may have a name that is a word of SQL, and what pg takes is given to it.', async (t) => {
  const store = await open(t, '?table=user&sslmode=disable&application_name=shop');
  t.not(await store.putIfAbsent('key', 'value'), undefined);
  const client = await postgresClient(t);
  t.deepEqual((await client.query('SELECT key FROM "user"')).rows, [{ key: 'key' }]);
  t.true(Number((await client.query(`SELECT FROM pg_stat_activity WHERE application_name = 'shop'`)).rowCount) > 0);
});
