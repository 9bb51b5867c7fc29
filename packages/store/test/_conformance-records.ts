import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { Case } from './_conformance.js';
import { hardKey, ownPrefix, text } from './_keys.js';

export const cases: readonly Case[] = [
  [
    'what is not there is not got, replaced or deleted',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      t.is(await store.get(key), undefined);
      t.is(await store.replaceIfVersion(key, 1, { value: 'x' }), undefined);
      t.false(await store.deleteIfVersion(key, 1));
      t.is(await store.get(key), undefined);
    },
  ],
  [
    'what is put is there, and is not put again',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      const version = await store.putIfAbsent(key, 'first');
      t.is(await store.putIfAbsent(key, 'second'), undefined);
      t.like(await store.get(key), { value: 'first', version });
    },
  ],
  [
    'a record is replaced in its version only',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      const first = (await store.putIfAbsent(key, 'first')) ?? NaN;
      const second = (await store.replaceIfVersion(key, first, { value: 'second' })) ?? NaN;
      t.true(second > first);
      for (const version of [first, second + 1, 0, -1])
        t.is(await store.replaceIfVersion(key, version, { value: 'third' }), undefined);
      t.like(await store.get(key), { value: 'second', version: second });
    },
  ],
  [
    'a record is deleted in its version only',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      const first = (await store.putIfAbsent(key, 'first')) ?? NaN;
      const second = (await store.replaceIfVersion(key, first, { value: 'second' })) ?? NaN;
      for (const version of [first, second + 1, 0, -1]) t.false(await store.deleteIfVersion(key, version));
      t.true(await store.deleteIfVersion(key, second));
      t.is(await store.get(key), undefined);
      t.false(await store.deleteIfVersion(key, second));
    },
  ],
  [
    'versions are whole numbers that grow over deletions',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      let last = 0;
      for (let round = 0; round < 20; round++) {
        const version = (await store.putIfAbsent(key, `${round}`)) ?? NaN;
        t.true(Number.isSafeInteger(version) && version > last);
        t.true(await store.deleteIfVersion(key, version));
        last = version;
      }
    },
  ],
  [
    'the age of a record is the time since its last write',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      const began = performance.now();
      const version = (await store.putIfAbsent(key, 'x')) ?? NaN;
      await delay(60);
      const entry = await store.get(key);
      // Stores whose clocks have milliseconds are up to one off at both ends.
      t.true(entry && entry.age >= 58 && entry.age <= performance.now() - began + 2, `${entry?.age}`);
      const again = performance.now();
      await store.replaceIfVersion(key, version, { value: 'x' });
      const young = await store.get(key);
      t.true(young && young.age >= 0 && young.age <= performance.now() - again + 2, `${young?.age}`);
    },
  ],
  [
    'every text comes back as it was, under every key',
    async (t, { open, runs }) => {
      const store = await open(t);
      const property = fc.asyncProperty(hardKey, text, text, async (end, value, next) => {
        const key = ownPrefix() + end;
        const version = (await store.putIfAbsent(key, value)) ?? NaN;
        t.like(await store.get(key), { value, version });
        await store.replaceIfVersion(key, version, { value: next });
        t.is((await store.get(key))?.value, next);
      });
      await fc.assert(property, { numRuns: runs });
    },
  ],
  [
    'what one has changed another one sees at once',
    async (t, { open, shared }) => {
      const one = await open(t);
      const other = shared ? await open(t) : one;
      const key = ownPrefix();
      const first = (await one.putIfAbsent(key, 'first')) ?? NaN;
      t.like(await other.get(key), { value: 'first', version: first });
      const second = (await other.replaceIfVersion(key, first, { value: 'second' })) ?? NaN;
      t.like(await one.get(key), { value: 'second', version: second });
      t.true(await one.deleteIfVersion(key, second));
      t.is(await other.get(key), undefined);
    },
  ],
  [
    'what was asked for before the end is answered, and nothing after it',
    async (t, { open, shared }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const pending = Array.from({ length: 20 }, (_, index) => store.putIfAbsent(`${prefix}${index}`, 'x'));
      const closed = store.close();
      t.true((await Promise.all(pending)).every((version) => typeof version === 'number'));
      await closed;
      await store.close();
      const refused = [
        () => store.get(prefix),
        () => store.putIfAbsent(prefix, 'x'),
        () => store.replaceIfVersion(prefix, 1, { value: 'x' }),
        () => store.deleteIfVersion(prefix, 1),
        () => store.list(prefix)[Symbol.asyncIterator]().next(),
      ];
      for (const call of refused) await t.throwsAsync(call, { code: 'ERR_STORE_CLOSED' });
      if (shared) t.like(await (await open(t)).get(`${prefix}19`), { value: 'x' });
    },
  ],
];
