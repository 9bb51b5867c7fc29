import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { GuardedTransactionalStore } from '../src/guarded-transactional-store.js';
import type { OpenTransaction } from '../src/guarded-transactional-store.js';
import { isTransactional } from '../src/index.js';
import type { Store } from '../src/index.js';
import { memoryStore } from '../src/memory.js';

const never = (): Promise<never> => new Promise(() => {});

/** A store whose transactions write down what becomes of them. */
function transactional({
  timeout = 5_000,
  begin = async () => {},
  ...parts
}: Partial<OpenTransaction> & { timeout?: number; begin?: () => Promise<void> } = {}) {
  const inner = memoryStore({ timeout: 60_000 });
  const log: string[] = [];
  const said = (text: string) => async (): Promise<void> => void log.push(text);
  const open: OpenTransaction = {
    client: { query: async () => ({ rows: [], rowCount: 0 }) },
    store: inner,
    commit: said('commit'),
    rollback: said('rollback'),
    ...parts,
  };
  const opener = {
    get: (key: string) => inner.get(key),
    putIfAbsent: inner.putIfAbsent.bind(inner),
    replaceIfVersion: inner.replaceIfVersion.bind(inner),
    deleteIfVersion: inner.deleteIfVersion.bind(inner),
    list: inner.list.bind(inner),
    close: said('closed'),
    begin: () => begin().then(() => open),
  };
  const store = new GuardedTransactionalStore({ name: 'fake:', timeout, open: async () => opener });
  return { store, log, client: open.client };
}

test('Work that resolves is committed, and its result is that of the transaction.', async (t) => {
  const { store, log, client } = transactional();
  t.true(isTransactional(store));
  const result = await store.transaction(async (given, inside) => {
    t.is(given, client);
    t.truthy(await inside.putIfAbsent('a', 'x'));
    return 42;
  });
  t.is(result, 42);
  t.deepEqual(log, ['commit']);
});

test('Work that rejects is rolled back, and the transaction rejects with the same.', async (t) => {
  const { store, log } = transactional();
  const mine = new Error('mine');
  t.is(await t.throwsAsync(store.transaction(() => Promise.reject(mine))), mine);
  t.is(
    await t.throwsAsync(
      store.transaction(() => {
        throw mine;
      }),
    ),
    mine,
  );
  t.deepEqual(log, ['rollback', 'rollback']);
});

test('A rollback that fails, or does not end, does not hide why.', async (t) => {
  for (const rollback of [() => Promise.reject(new Error('gone')), never]) {
    const { store } = transactional({ timeout: 30, rollback });
    const mine = new Error('mine');
    t.is(await t.throwsAsync(store.transaction(() => Promise.reject(mine))), mine);
  }
});

test('Work takes as long as it likes.', async (t) => {
  const { store, log } = transactional({ timeout: 20 });
  t.is(await store.transaction(() => delay(80, 'done')), 'done');
  t.deepEqual(log, ['commit']);
});

test('A commit that fails or does not end rejects.', async (t) => {
  const failed = transactional({ commit: () => Promise.reject(new Error('gone')) });
  await t.throwsAsync(
    failed.store.transaction(async () => 1),
    { code: 'ERR_STORE_UNAVAILABLE' },
  );
  t.deepEqual(failed.log, []);
  const silent = transactional({ timeout: 30, commit: never });
  await t.throwsAsync(
    silent.store.transaction(async () => 1),
    { code: 'ERR_STORE_TIMEOUT' },
  );
});

test('A transaction that begins too late is rolled back, and its work never done.', async (t) => {
  const { store, log } = transactional({ timeout: 20, begin: () => delay(60) });
  await t.throwsAsync(
    store.transaction(async () => t.fail()),
    { code: 'ERR_STORE_TIMEOUT' },
  );
  await delay(60);
  t.deepEqual(log, ['rollback']);
});

test('The store inside has the limits of every store, and ends with the transaction.', async (t) => {
  const { store } = transactional();
  let kept: Store | undefined;
  await store.transaction(async (_client, inside) => {
    kept = inside;
    await t.throwsAsync(inside.get(''), { code: 'ERR_STORE_LIMIT' });
    await inside.get('a');
  });
  await t.throwsAsync(kept?.get('a') ?? Promise.resolve(), { code: 'ERR_STORE_CLOSED' });
});

test('What the work did not wait for is done before the commit.', async (t) => {
  const { store, log } = transactional({ store: slow(() => log.push('put')) });
  await store.transaction(async (_client, inside) => void inside.putIfAbsent('a', 'x'));
  t.deepEqual(log, ['put', 'commit']);
});

test('The end of the store waits for a transaction that has begun, within its time.', async (t) => {
  const { store, log } = transactional();
  const running = store.transaction(() => delay(50));
  await delay(10);
  await store.close();
  await running;
  t.deepEqual(log, ['commit', 'closed']);
  await t.throwsAsync(
    store.transaction(async () => t.fail()),
    { code: 'ERR_STORE_CLOSED' },
  );
});

/** A store that takes a while to put. */
function slow(done: () => void): Store {
  const inner = memoryStore({ timeout: 60_000 });
  inner.putIfAbsent = async () => {
    await delay(30);
    done();
    return 1;
  };
  inner.close = async () => {};
  return inner;
}
