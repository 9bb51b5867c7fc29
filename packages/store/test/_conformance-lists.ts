import * as fc from 'fast-check';
import type { Case } from './_conformance.js';
import { hardKey, listed, ownPrefix } from './_keys.js';

export const cases: readonly Case[] = [
  [
    'a prefix lists exactly the keys that begin with it',
    async (t, { open, runs }) => {
      const store = await open(t);
      const property = fc.asyncProperty(
        fc.uniqueArray(hardKey, { maxLength: 12 }),
        fc.array(hardKey, { maxLength: 4 }),
        async (keys, prefixes) => {
          const own = ownPrefix();
          await Promise.all(keys.map((key) => store.putIfAbsent(own + key, `of ${key}`)));
          for (const prefix of ['', ...prefixes]) {
            const expected = keys.filter((key) => key.startsWith(prefix)).toSorted();
            const entries = await listed(store, own + prefix);
            t.deepEqual(entries.map(({ key }) => key.slice(own.length)).toSorted(), expected);
            t.true(entries.every(({ key, value }) => value === `of ${key.slice(own.length)}`));
          }
        },
      );
      await fc.assert(property, { numRuns: runs });
    },
  ],
  [
    'thousands are listed, each once and as they are',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const versions = new Map<string, number>();
      for (let first = 0; first < 3_000; first += 300) {
        const keys = Array.from({ length: 300 }, (_, index) => `${prefix}${first + index}`);
        await Promise.all(keys.map(async (key) => versions.set(key, (await store.putIfAbsent(key, `of ${key}`)) ?? NaN)));
      }
      const entries = await listed(store, prefix);
      t.is(entries.length, 3_000);
      t.is(new Set(entries.map(({ key }) => key)).size, 3_000);
      t.true(entries.every(({ key, value, version, age }) => value === `of ${key}` && version === versions.get(key) && age >= 0));
      t.is((await listed(store, `${prefix}29`)).length, 111);
    },
  ],
  [
    'the empty prefix lists everything',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      await store.putIfAbsent(key, 'x');
      t.true((await listed(store, '')).some((entry) => entry.key === key));
    },
  ],
  [
    'what is listed may be changed on the way, and what is not changed is not missed',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      await Promise.all(Array.from({ length: 500 }, (_, index) => store.putIfAbsent(`${prefix}${index}`, 'x')));
      const seen = new Set<string>();
      for await (const { key, version } of store.list(prefix)) {
        seen.add(key);
        if (seen.size % 3 === 0) t.true(await store.deleteIfVersion(key, version));
        if (seen.size % 3 === 1) await store.replaceIfVersion(key, version, { value: 'y' });
      }
      t.is(seen.size, 500);
      t.is((await listed(store, prefix)).length, 500 - 166);
    },
  ],
  [
    'a list may be left early',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      await Promise.all(Array.from({ length: 300 }, (_, index) => store.putIfAbsent(`${prefix}${index}`, 'x')));
      for (let round = 0; round < 20; round++) {
        for await (const { key } of store.list(prefix)) {
          t.true(key.startsWith(prefix));
          break;
        }
      }
      t.is((await listed(store, prefix)).length, 300);
    },
  ],
];
