import { setTimeout as delay } from 'node:timers/promises';
import { VirtualClock } from '@warren/core/testing';
import * as fc from 'fast-check';
import { Lease, Records } from '../src/index.js';
import type { LeaseLostError, Store } from '../src/index.js';
import type { Case } from './_conformance.js';
import { gone, listed, ownPrefix } from './_keys.js';

/** Milliseconds that a store's clock may be coarse. */
const COARSE = 3;
/** Milliseconds within which two calls are made, also on a busy machine. */
const BRIEF = 1_500;

/** Puts a record with `ttl` and looks until it is gone. Tells what was wrong: gone too early, or there too late. */
async function wrongAbout(store: Store, key: string, ttl: number): Promise<string | undefined> {
  const began = performance.now();
  await store.putIfAbsent(key, 'x', { ttl });
  const put = performance.now();
  for (;;) {
    const asked = performance.now();
    const found = await store.get(key);
    const answered = performance.now();
    if (!found) return answered - began < ttl - COARSE ? `gone after ${answered - began} of ${ttl} ms` : undefined;
    if (asked - put > ttl + COARSE) return `there after ${asked - put} of ${ttl} ms`;
    await delay(1);
  }
}

export const cases: readonly Case[] = [
  [
    'a record is there until its time is over, and not longer',
    async (t, { open, runs }) => {
      const store = await open(t);
      const ttls = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 10 });
      const property = fc.asyncProperty(ttls, async (ttls) => {
        const prefix = ownPrefix();
        const wrong = await Promise.all(ttls.map((ttl, index) => wrongAbout(store, prefix + index, ttl)));
        t.deepEqual(wrong.filter(Boolean), []);
      });
      await fc.assert(property, { numRuns: runs });
    },
  ],
  [
    'what has expired is not listed, replaced or deleted, and its successor has a greater version',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      const version = (await store.putIfAbsent(key, 'x', { ttl: 5 })) ?? NaN;
      await gone(store, key);
      t.deepEqual(await listed(store, key), []);
      t.is(await store.replaceIfVersion(key, version, { value: 'y' }), undefined);
      t.false(await store.deleteIfVersion(key, version));
      const next = (await store.putIfAbsent(key, 'z')) ?? NaN;
      t.true(next > version);
      t.like(await store.get(key), { value: 'z', version: next });
    },
  ],
  [
    'a replaced record has the time that it is given then',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const replaced = async (key: string, before: number | undefined, after: number | undefined) => {
        const version = (await store.putIfAbsent(prefix + key, 'x', { ttl: before })) ?? NaN;
        await store.replaceIfVersion(prefix + key, version, { value: 'y', ttl: after });
      };
      await replaced('longer', BRIEF, 60_000);
      await replaced('for ever', BRIEF, undefined);
      await replaced('shorter', 60_000, 5);
      await replaced('no longer for ever', undefined, 5);
      await delay(BRIEF + COARSE);
      const keys = (await listed(store, prefix)).map(({ key }) => key.slice(prefix.length));
      t.deepEqual(keys.toSorted(), ['for ever', 'longer']);
    },
  ],
  [
    'of many records that expire all are gone, and none of those that stay',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const puts = Array.from({ length: 300 }, (_, index) =>
        store.putIfAbsent(`${prefix}${index}`, 'x', index % 3 ? { ttl: 1 + index } : {}),
      );
      await Promise.all(puts);
      await delay(300 + COARSE);
      t.is((await listed(store, prefix)).length, 100);
      for (let index = 1; index < 300; index += 3) t.not(await store.putIfAbsent(`${prefix}${index}`, 'y'), undefined);
      t.is((await listed(store, prefix)).length, 200);
    },
  ],
  [
    'a lease whose holder stalls is taken over, and refused from then on',
    async (t, { open, shared }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const records = new Records<string>(store, prefix);
      const others = new Records<string>(shared ? await open(t) : store, prefix);
      const key = 'lease';
      const lost: LeaseLostError[] = [];
      const version = (await records.putIfAbsent(key, 'one', { ttl: 60_000 })) ?? NaN;
      // Its clock stands still: it is not renewed.
      const lease = new Lease({
        records,
        key,
        value: 'one',
        version,
        duration: 50,
        ttl: 60_000,
        clock: new VirtualClock(),
        onLost: (error) => lost.push(error),
      });
      let found = await others.get(key);
      while (found && found.age < 50) found = await others.get(key);
      t.is(found?.version, lease.fence);
      const taken = (await others.replaceIfVersion(key, found?.version ?? NaN, { value: 'two', ttl: 60_000 })) ?? NaN;
      t.true(taken > lease.fence);
      t.is(await others.replaceIfVersion(key, found?.version ?? NaN, { value: 'three', ttl: 60_000 }), undefined);
      await t.throwsAsync(
        lease.end(() => 'done', { ttl: 60_000 }),
        { code: 'ERR_LEASE_LOST' },
      );
      t.is(lost.length, 1);
      t.like(await records.get(key), { value: 'two', version: taken });
    },
  ],
];
