import test from 'ava';
import { VirtualClock } from '@warren/core/testing';
import { memoryStore } from '../src/memory.js';
import { conformance } from './_conformance.js';
import { listed } from './_keys.js';

conformance(
  'memory',
  async (t) => {
    const store = memoryStore({ timeout: 5_000 });
    t.teardown(() => store.close());
    return store;
  },
  { shared: false },
);

test('A full store refuses one record more, and evicts none.', async (t) => {
  const store = memoryStore({ timeout: 1_000, limit: 100 });
  const versions = await Promise.all(Array.from({ length: 100 }, (_, index) => store.putIfAbsent(`${index}`, 'x')));
  await t.throwsAsync(store.putIfAbsent('one more', 'x'), { code: 'ERR_STORE_LIMIT' });
  t.is((await listed(store, '')).length, 100);
  t.truthy(await store.replaceIfVersion('7', versions[7] ?? NaN, { value: 'y' }));
  t.true(await store.deleteIfVersion('8', versions[8] ?? NaN));
  t.truthy(await store.putIfAbsent('one more', 'x'));
});

test('A full store takes as many records more as have expired.', async (t) => {
  const clock = new VirtualClock();
  const store = memoryStore({ timeout: 1_000, limit: 100, clock });
  for (let index = 0; index < 100; index++) await store.putIfAbsent(`${index}`, 'x', index >= 90 ? { ttl: 1_000 } : {});
  await clock.advance(999);
  await t.throwsAsync(store.putIfAbsent('too early', 'x'), { code: 'ERR_STORE_LIMIT' });
  await clock.advance(1);
  for (let index = 0; index < 10; index++) t.truthy(await store.putIfAbsent(`new ${index}`, 'x'));
  await t.throwsAsync(store.putIfAbsent('too many', 'x'), { code: 'ERR_STORE_LIMIT' });
});

test('Expired records leave while others are written.', async (t) => {
  const clock = new VirtualClock();
  const store = memoryStore({ timeout: 1_000, limit: 200, clock });
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 100; index++) t.truthy(await store.putIfAbsent(`${round}/${index}`, 'x', { ttl: 1_000 }));
    await clock.advance(1_000);
  }
});

test('Records age and expire by the clock that is given.', async (t) => {
  const clock = new VirtualClock();
  const store = memoryStore({ timeout: 1_000, clock });
  await store.putIfAbsent('a', 'x', { ttl: 60_000 });
  await clock.advance(59_999);
  t.is((await store.get('a'))?.age, 59_999);
  await clock.advance(1);
  t.is(await store.get('a'), undefined);
});
