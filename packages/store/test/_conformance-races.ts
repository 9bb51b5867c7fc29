import type { ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import type { Store } from '../src/index.js';
import type { Case, Conformance } from './_conformance.js';
import { ownPrefix } from './_keys.js';

const several = fc.integer({ min: 2, max: 20 });

/** Those who race, over two stores where these share their records. */
async function rivals(t: ExecutionContext, { open, shared }: Conformance): Promise<(index: number) => Store> {
  const one = await open(t);
  const other = shared ? await open(t) : one;
  return (index) => (index % 2 ? one : other);
}

/** Adds one to the number in a record, again until its change is taken. The version that this gave. */
async function increment(store: Store, key: string): Promise<readonly [version: number, value: number]> {
  for (;;) {
    const entry = await store.get(key);
    if (!entry) throw new Error('the counter is gone');
    const value = Number(entry.value) + 1;
    const version = await store.replaceIfVersion(key, entry.version, { value: String(value) });
    if (version !== undefined) return [version, value];
  }
}

/** Claims a record, works, and frees it. What it saw of others meanwhile, and its version. */
async function exclusively(store: Store, key: string, holders: Set<string>): Promise<number> {
  for (;;) {
    const version = await store.putIfAbsent(key, 'held', { ttl: 60_000 });
    if (version === undefined) continue;
    holders.add(`${version}`);
    if (holders.size > 1) throw new Error(`held by ${[...holders].join(' and ')}`);
    await store.get(key);
    holders.delete(`${version}`);
    if (!(await store.deleteIfVersion(key, version))) throw new Error('it was freed by somebody else');
    return version;
  }
}

export const cases: readonly Case[] = [
  [
    'of those who claim a key at once exactly one gets it',
    async (t, conformance) => {
      const store = await rivals(t, conformance);
      const property = fc.asyncProperty(several, async (count) => {
        const key = ownPrefix();
        const claims = Array.from({ length: count }, (_, index) => store(index).putIfAbsent(key, `${index}`));
        const versions = await Promise.all(claims);
        const winners = versions.flatMap((version, index) => (version === undefined ? [] : [{ value: `${index}`, version }]));
        t.is(winners.length, 1);
        t.like(await store(0).get(key), winners[0] ?? {});
      });
      await fc.assert(property, { numRuns: conformance.runs });
    },
  ],
  [
    'of those who replace or delete a version at once exactly one does',
    async (t, conformance) => {
      const store = await rivals(t, conformance);
      const property = fc.asyncProperty(several, fc.integer({ min: 0, max: 5 }), async (replacing, deleting) => {
        const key = ownPrefix();
        const version = (await store(0).putIfAbsent(key, 'x')) ?? NaN;
        const changes = [
          ...Array.from({ length: replacing }, (_, index) => store(index).replaceIfVersion(key, version, { value: `${index}` })),
          ...Array.from({ length: deleting }, (_, index) => store(index).deleteIfVersion(key, version)),
        ];
        t.is((await Promise.all(changes)).filter(Boolean).length, 1);
      });
      await fc.assert(property, { numRuns: conformance.runs });
    },
  ],
  [
    'no update is lost, and versions follow the order of the updates',
    async (t, conformance) => {
      const store = await rivals(t, conformance);
      const property = fc.asyncProperty(several, fc.integer({ min: 1, max: 3 }), async (count, rounds) => {
        const key = ownPrefix();
        await store(0).putIfAbsent(key, '0');
        const chain = async (index: number): Promise<Array<readonly [number, number]>> => {
          const done = [];
          for (let round = 0; round < rounds; round++) done.push(await increment(store(index), key));
          return done;
        };
        const done = (await Promise.all(Array.from({ length: count }, (_, index) => chain(index)))).flat();
        const values = done.toSorted(([one], [other]) => one - other).map(([, value]) => value);
        t.deepEqual(
          values,
          Array.from({ length: count * rounds }, (_, index) => index + 1),
        );
      });
      await fc.assert(property, { numRuns: Math.ceil(conformance.runs / 3) });
    },
  ],
  [
    'a key that is claimed and freed has one holder at a time, and each a greater version',
    async (t, conformance) => {
      const store = await rivals(t, conformance);
      const key = ownPrefix();
      const holders = new Set<string>();
      const order: number[] = [];
      const rival = async (index: number): Promise<void> => {
        for (let round = 0; round < 5; round++) order.push(await exclusively(store(index), key, holders));
      };
      await Promise.all(Array.from({ length: 6 }, (_, index) => rival(index)));
      t.is(new Set(order).size, 30);
      t.is(await store(0).get(key), undefined);
    },
  ],
];
