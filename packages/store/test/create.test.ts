import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '@warren/core/testing';
import { createStore, isTransactional } from '../src/index.js';

for (const url of [
  '',
  'memory',
  'lmdb:',
  'lmdb:a\0b',
  'lmdb://folder',
  'redis',
  'redis:localhost',
  'mysql://app:s3cret@host/shop',
  'postgres//app:s3cret@host/shop',
  'redis:/app:s3cret@host',
  'redis://host?password=s3cret',
  'redis://app:s3cret@host/shop',
  'http://host',
  'postgres',
  './folder',
]) {
  test(`${JSON.stringify(url)} is no store's URL.`, (t) => {
    const error = t.throws(() => createStore(url), { code: 'ERR_STORE_URL' });
    t.notRegex(error.message, /s3cret/);
  });
}

test('An empty URL, as of a variable that is set to nothing, is told as such.', (t) => {
  t.throws(() => createStore(''), { code: 'ERR_STORE_URL', message: /got nothing\.$/ });
});

test('What is no text is no store’s URL.', (t) => {
  const error = t.throws(() => createStore(undefined as unknown as string), { code: 'ERR_STORE_URL' });
  t.regex(error.message, /got undefined\./);
});

test('A store in memory takes the clock that is given.', async (t) => {
  const clock = new VirtualClock();
  const store = createStore('memory:', { clock });
  await store.putIfAbsent('a', 'x', { ttl: 60_000 });
  await clock.advance(60_000);
  t.is(await store.get('a'), undefined);
  await store.close();
});

test('Two stores in memory share nothing.', async (t) => {
  const [one, other] = [createStore('memory:'), createStore('memory:')];
  await one.putIfAbsent('a', 'x');
  t.is(await other.get('a'), undefined);
});

test('A store in a folder makes it at its first call.', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'warren-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const store = createStore(`lmdb:${join(folder, 'a', 'b.d')}`);
  t.teardown(() => store.close());
  t.deepEqual(await readdir(folder), []);
  await store.putIfAbsent('a', 'x');
  t.deepEqual((await readdir(join(folder, 'a', 'b.d'))).toSorted(), ['data.mdb', 'lock.mdb']);
});

for (const url of ['redis://app:s3cret@127.0.0.1:1', 'postgres://app:s3cret@127.0.0.1:1/shop']) {
  test(`${url.slice(0, 8)}… with nobody there is an error of the first call, without its password.`, async (t) => {
    const store = createStore(url, { timeout: '30s' });
    t.is(isTransactional(store), url.startsWith('postgres'));
    const error = await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_UNAVAILABLE' });
    t.regex(error.message, /127\.0\.0\.1:1/);
    t.notRegex(error.message, /s3cret/);
    await store.close();
  });
}

test('The timeout is a duration.', (t) => {
  t.throws(() => createStore('memory:', { timeout: 'soon' }), { code: 'ERR_INVALID_OPTION' });
});
