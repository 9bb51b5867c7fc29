import type { ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import type { Store } from '../src/index.js';
import type { Case } from './_conformance.js';
import { gone, hardKey, listed, ownPrefix, text } from './_keys.js';

/** Which of the versions that a key has had: 0 the latest, 1 the one before, and so on; none where there were not so many. */
type Back = number;

type Step =
  | { readonly do: 'get' }
  | { readonly do: 'list' }
  | { readonly do: 'put'; readonly value: string; readonly brief: boolean }
  | { readonly do: 'replace'; readonly value: string; readonly brief: boolean; readonly back: Back }
  | { readonly do: 'delete'; readonly back: Back };

const back = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) });
const brief = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom({ do: 'get' } as const, { do: 'list' } as const),
  fc.record({ do: fc.constant('put' as const), value: text, brief }),
  fc.record({ do: fc.constant('replace' as const), value: text, brief, back }),
  fc.record({ do: fc.constant('delete' as const), back }),
);

/** What a key is like: the whole of a store's semantics. */
class Modelled {
  readonly #t: ExecutionContext;
  readonly #store: Store;
  readonly #key: string;
  readonly #versions: number[] = [];
  #value: string | undefined;

  constructor(t: ExecutionContext, { store, key }: { store: Store; key: string }) {
    this.#t = t;
    this.#store = store;
    this.#key = key;
  }

  get value(): string | undefined {
    return this.#value;
  }

  async run(step: Step, prefix: string): Promise<void> {
    if (step.do === 'get') await this.#get();
    else if (step.do === 'list') await this.#list(prefix);
    else if (step.do === 'put') await this.#put(step);
    else if (step.do === 'replace') await this.#replace(step);
    else await this.#delete(step.back);
  }

  async #get(): Promise<void> {
    const found = await this.#store.get(this.#key);
    this.#t.is(found?.value, this.#value);
    if (found) this.#t.is(this.#versions.at(-1), found.version);
  }

  async #list(prefix: string): Promise<void> {
    const found = (await listed(this.#store, prefix)).find(({ key }) => key === this.#key);
    this.#t.is(found?.value, this.#value);
  }

  async #put({ value, brief }: { value: string; brief: boolean }): Promise<void> {
    const version = await this.#store.putIfAbsent(this.#key, value, brief ? { ttl: 1 } : {});
    this.#t.is(version === undefined, this.#value !== undefined);
    if (version !== undefined) await this.#written(version, { value, brief });
  }

  async #replace({ value, brief, back }: { value: string; brief: boolean; back: Back }): Promise<void> {
    const change = brief ? { value, ttl: 1 } : { value };
    const version = await this.#store.replaceIfVersion(this.#key, this.#version(back), change);
    this.#t.is(version !== undefined, this.#value !== undefined && back === 0);
    if (version !== undefined) await this.#written(version, { value, brief });
  }

  async #delete(back: Back): Promise<void> {
    const deleted = await this.#store.deleteIfVersion(this.#key, this.#version(back));
    this.#t.is(deleted, this.#value !== undefined && back === 0);
    if (deleted) this.#value = undefined;
  }

  async #written(version: number, { value, brief }: { value: string; brief: boolean }): Promise<void> {
    this.#t.true(version > (this.#versions.at(-1) ?? 0));
    this.#versions.push(version);
    this.#value = brief ? undefined : value;
    if (brief) await gone(this.#store, this.#key);
  }

  #version(back: Back): number {
    return this.#versions.at(-1 - back) ?? 0;
  }
}

export const cases: readonly Case[] = [
  [
    'does in any order what its model does',
    async (t, { open, shared, runs }) => {
      const stores = shared ? [await open(t), await open(t)] : [await open(t)];
      const steps = fc.array(fc.tuple(fc.nat(), step), { maxLength: 25 });
      const keys = fc.uniqueArray(hardKey, { minLength: 1, maxLength: 3 });
      const property = fc.asyncProperty(keys, steps, async (keys, steps) => {
        const prefix = ownPrefix();
        const models = keys.map((key, index) => new Modelled(t, { store: stores[index % stores.length]!, key: prefix + key }));
        for (const [which, step] of steps) await models[which % models.length]?.run(step, prefix);
        const expected = models.filter(({ value }) => value !== undefined).length;
        t.is((await listed(stores[0]!, prefix)).length, expected);
      });
      await fc.assert(property, { numRuns: runs });
    },
  ],
];
