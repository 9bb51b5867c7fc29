import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { GuardedStore, StoreClientMissingError, StoreLimitError } from '../src/index.js';
import type { StoreClient } from '../src/index.js';
import { memoryStore } from '../src/memory.js';
import { listed } from './_keys.js';

/** A store of which some calls are replaced. */
function guarded(calls: Partial<StoreClient>, { timeout = 5_000, open = async () => {} } = {}): GuardedStore {
  const inner = memoryStore({ timeout: 60_000 });
  const whole: StoreClient = {
    get: (key) => inner.get(key),
    putIfAbsent: (key, value, options) => inner.putIfAbsent(key, value, options),
    replaceIfVersion: (key, version, change) => inner.replaceIfVersion(key, version, change),
    deleteIfVersion: (key, version) => inner.deleteIfVersion(key, version),
    list: (prefix) => inner.list(prefix),
    close: () => inner.close(),
    ...calls,
  };
  return new GuardedStore({ name: 'fake://app:***@host', timeout, open: () => open().then(() => whole) });
}

const never = (): Promise<never> => new Promise(() => {});

test('A call without an answer is rejected when its time is over, and not before.', async (t) => {
  const store = guarded({ get: never }, { timeout: 60 });
  // Timers count from the beginning of the turn of the event loop that they are set in.
  await delay(1);
  const began = performance.now();
  const error = await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_TIMEOUT' });
  t.true(performance.now() - began >= 59);
  t.regex(error.message, /fake:.*60 ms/);
});

test('Opening takes from the time of the call that waits for it.', async (t) => {
  const store = guarded({ get: never }, { timeout: 1_200, open: () => delay(1_000) });
  const late = delay(1_000 + 1_200 - 1, 'late');
  const refused = t.throwsAsync(store.get('a'), { code: 'ERR_STORE_TIMEOUT' }).then(() => 'refused');
  t.is(await Promise.race([late, refused]), 'refused');
});

test('Each step of a list has a deadline of its own.', async (t) => {
  const entry = { key: 'a', value: 'x', version: 1, age: 0 };
  const slow = async function* () {
    for (let index = 0; index < 5; index++) {
      await delay(40);
      yield entry;
    }
    await never();
  };
  const store = guarded({ list: slow }, { timeout: 120 });
  const seen: unknown[] = [];
  const all = async () => {
    for await (const found of store.list('')) seen.push(found);
  };
  await t.throwsAsync(all, { code: 'ERR_STORE_TIMEOUT' });
  t.is(seen.length, 5);
});

test('A look that finds nothing is a step of a list, and no entry.', async (t) => {
  const entry = { key: 'a', value: 'x', version: 1, age: 0 };
  const looking = async function* () {
    for (let look = 0; look < 10; look++) {
      await delay(100);
      yield undefined;
    }
    yield entry;
  };
  t.deepEqual(await listed(guarded({ list: looking }, { timeout: 900 }), ''), [entry]);
});

test('A list that is left early tells the implementation.', async (t) => {
  let left = false;
  const endless = async function* () {
    try {
      for (;;) yield { key: 'a', value: 'x', version: 1, age: 0 };
    } finally {
      left = true;
    }
  };
  for await (const { key } of guarded({ list: endless }).list('')) {
    t.is(key, 'a');
    break;
  }
  await delay(1);
  t.true(left);
});

test('What an implementation throws is the cause of ERR_STORE_UNAVAILABLE.', async (t) => {
  const cause = new Error('ECONNREFUSED');
  const refuse = async (): Promise<never> => {
    throw cause;
  };
  const refuseAtOnce = (): never => {
    throw cause;
  };
  const store = guarded({ get: refuse, putIfAbsent: refuseAtOnce, list: refuseAtOnce });
  for (const call of [() => store.get('a'), () => store.putIfAbsent('a', 'x'), () => listed(store, '')]) {
    const error = await t.throwsAsync(call, { code: 'ERR_STORE_UNAVAILABLE' });
    t.is(error.cause, cause);
    t.regex(error.message, /fake:\/\/app:\*\*\*@host.*ECONNREFUSED/);
  }
});

test('Errors of ours pass as they are.', async (t) => {
  const ours = new StoreLimitError({ what: 'A store', limit: '1', got: '2' });
  const full = guarded({ putIfAbsent: () => Promise.reject(ours) });
  t.is(await t.throwsAsync(full.putIfAbsent('a', 'x'), { code: 'ERR_STORE_LIMIT' }), ours);
  const missing = new StoreClientMissingError({ client: 'redis', url: 'redis://host', cause: undefined });
  const store = guarded({}, { open: () => Promise.reject(missing) });
  t.is(await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_CLIENT_MISSING' }), missing);
});

test('It is opened at the first call, once for all that come meanwhile.', async (t) => {
  let opened = 0;
  const store = guarded({}, { open: () => delay(20, void opened++) });
  t.is(opened, 0);
  await Promise.all([store.get('a'), store.putIfAbsent('a', 'x'), listed(store, '')]);
  await store.get('a');
  t.is(opened, 1);
});

test('An opening that failed is tried again by the next call.', async (t) => {
  let opened = 0;
  const open = async (): Promise<void> => {
    if (++opened < 3) throw new Error('not yet');
  };
  const store = guarded({}, { open });
  const both = await Promise.allSettled([store.get('a'), store.get('a')]);
  t.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.is(opened, 1);
  await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_UNAVAILABLE' });
  t.is(await store.get('a'), undefined);
  t.is(opened, 3);
});

test('A call that comes too late for an opening does nothing afterwards.', async (t) => {
  let put = 0;
  const store = guarded({ putIfAbsent: async () => ++put }, { timeout: 20, open: () => delay(60) });
  await t.throwsAsync(store.putIfAbsent('a', 'x'), { code: 'ERR_STORE_TIMEOUT' });
  await delay(80);
  t.is(put, 0);
  t.is(await store.putIfAbsent('a', 'x'), 1);
});

test('A store that was never used is closed without being opened.', async (t) => {
  let opened = 0;
  const store = guarded({}, { open: async () => void opened++ });
  await store.close();
  t.is(opened, 0);
  await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_CLOSED' });
});

test('It is closed once, after what was asked for before.', async (t) => {
  const order: string[] = [];
  const put = async (): Promise<number> => {
    await delay(30);
    order.push('put');
    return 1;
  };
  const store = guarded({ putIfAbsent: put, close: async () => void order.push('closed') });
  const pending = store.putIfAbsent('a', 'x');
  await Promise.all([store.close(), store.close(), pending]);
  t.deepEqual(order, ['put', 'closed']);
});

test('Closing does not wait for ever, neither for calls nor for the implementation.', async (t) => {
  const store = guarded({ get: never, close: never }, { timeout: 50 });
  const pending = t.throwsAsync(store.get('a'), { code: 'ERR_STORE_TIMEOUT' });
  await t.throwsAsync(store.close(), { code: 'ERR_STORE_TIMEOUT' });
  await pending;
});

test('What opens after all during the end is closed.', async (t) => {
  let closed = 0;
  const store = guarded({ close: async () => void closed++ }, { timeout: 100, open: () => delay(50) });
  const pending = store.get('a');
  await store.close();
  t.is(closed, 1);
  t.is(await pending, undefined);
});

test('A store that cannot be opened is closed without an error.', async (t) => {
  const store = guarded({}, { open: () => delay(20).then(() => Promise.reject(new Error('refused'))) });
  const pending = t.throwsAsync(store.get('a'), { code: 'ERR_STORE_UNAVAILABLE' });
  await store.close();
  await pending;
});
