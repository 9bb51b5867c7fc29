import type { Case } from './_conformance.js';
import { listed, ownPrefix } from './_keys.js';

const LIMIT = { code: 'ERR_STORE_LIMIT' };
const VALUE_BYTES = 256 * 1024;
const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1_000;

export const cases: readonly Case[] = [
  [
    'keys have up to 500 bytes',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const longest = prefix.padEnd(500, 'k');
      const hares = prefix + '🐇'.repeat(115);
      for (const key of [longest, hares]) {
        const version = await store.putIfAbsent(key, 'x', { ttl: 60_000 });
        t.like(await store.get(key), { value: 'x', version });
        t.like((await listed(store, key))[0], { key, version });
      }
      for (const key of ['', `${longest}k`, `${hares}🐇`, `${prefix}\0`, `${prefix}\ud83d`, `${prefix}\udc07k`]) {
        await t.throwsAsync(store.get(key), LIMIT, JSON.stringify(key));
        await t.throwsAsync(store.putIfAbsent(key, 'x'), LIMIT);
        await t.throwsAsync(store.replaceIfVersion(key, 1, { value: 'x' }), LIMIT);
        await t.throwsAsync(store.deleteIfVersion(key, 1), LIMIT);
        if (key !== '') await t.throwsAsync(listed(store, key), LIMIT);
      }
    },
  ],
  [
    'values have up to 256 KiB',
    async (t, { open }) => {
      const store = await open(t);
      const prefix = ownPrefix();
      const values = ['', 'x'.repeat(VALUE_BYTES), '🐇'.repeat(VALUE_BYTES / 4)];
      for (const [index, value] of values.entries()) {
        const key = `${prefix}${index}`;
        const version = (await store.putIfAbsent(key, value)) ?? NaN;
        t.true((await store.get(key))?.value === value);
        await store.replaceIfVersion(key, version, { value });
        t.true((await listed(store, key))[0]?.value === value);
      }
      for (const value of ['x'.repeat(VALUE_BYTES + 1), '🐇'.repeat(VALUE_BYTES / 4 + 1), 'a\0b', 'a\ud83d', '\udc07b']) {
        await t.throwsAsync(store.putIfAbsent(`${prefix}new`, value), LIMIT);
        await t.throwsAsync(store.replaceIfVersion(`${prefix}0`, 1, { value }), LIMIT);
      }
      t.is(await store.get(`${prefix}new`), undefined);
    },
  ],
  [
    'times are whole milliseconds up to ten years',
    async (t, { open }) => {
      const store = await open(t);
      const key = ownPrefix();
      const version = (await store.putIfAbsent(key, 'x', { ttl: TEN_YEARS })) ?? NaN;
      t.like(await store.get(key), { value: 'x', version });
      for (const ttl of [0, -1, 1.5, NaN, Infinity, TEN_YEARS + 1]) {
        await t.throwsAsync(store.putIfAbsent(`${key}new`, 'x', { ttl }), LIMIT);
        await t.throwsAsync(store.replaceIfVersion(key, version, { value: 'x', ttl }), LIMIT);
      }
      t.is(await store.get(`${key}new`), undefined);
    },
  ],
];
