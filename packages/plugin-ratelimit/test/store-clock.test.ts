import test from 'ava';
import { VirtualClock } from '@warren/core/testing';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import * as fc from 'fast-check';
import { StoreClock } from '../src/store-clock.js';
import { elapsing } from './_worker.js';

/** A store whose clock runs on its own, and which takes a while to answer. */
function remote(store: Store, clock: VirtualClock, { takes, answers }: { takes: () => number; answers: () => number }): Store {
  return {
    get: async (key) => {
      await clock.sleep(takes());
      const entry = await store.get(key);
      await clock.sleep(answers());
      return entry;
    },
    putIfAbsent: (key, value, options) => store.putIfAbsent(key, value, options),
    replaceIfVersion: (key, version, change) => store.replaceIfVersion(key, version, change),
    deleteIfVersion: (key, version) => store.deleteIfVersion(key, version),
    list: (prefix) => store.list(prefix),
    close: () => store.close(),
  };
}

test('The time of the store is between the two that are told.', async (t) => {
  const latency = fc.nat(50);
  const property = fc.asyncProperty(fc.array(fc.tuple(latency, latency, fc.nat(1_500)), { maxLength: 8 }), async (steps) => {
    const clock = new VirtualClock();
    let [takes, answers] = [0, 0];
    const memory = createStore('memory:', { clock });
    const store = remote(memory, clock, { takes: () => takes, answers: () => answers });
    const time = new StoreClock(store, clock);
    await elapsing(clock, time.fresh());
    const epoch = clock.monotonic() - ((await memory.get('limit/epoch'))?.age ?? NaN);
    for (const [take, answer, passes] of steps) {
      [takes, answers] = [take, answer];
      await elapsing(clock, time.fresh());
      await clock.advance(passes);
      const { earliest, latest } = time.now;
      const now = clock.monotonic() - epoch;
      t.true(earliest <= now && now <= latest, `${earliest} ${now} ${latest}`);
      t.true(latest - earliest <= 110, 'no less sure than the store was slow');
    }
  });
  await fc.assert(property, { numRuns: 50 });
});

test('Those who share a store agree on its time, and on its name.', async (t) => {
  const clock = new VirtualClock();
  const store = createStore('memory:', { clock });
  const one = new StoreClock(store, clock);
  await one.fresh();
  await clock.advance(5_000);
  const other = new StoreClock(store, clock);
  await Promise.all([one.fresh(), other.fresh()]);
  t.true(Math.abs(one.now.latest - other.now.latest) < 1);
  t.is(one.epoch, other.epoch);
});

test('It is read once for all who ask, and again when it is old.', async (t) => {
  const clock = new VirtualClock();
  const store = createStore('memory:', { clock });
  let reads = 0;
  const counting = {
    get: (key: string) => (reads++, store.get(key)),
    putIfAbsent: (key: string, value: string) => store.putIfAbsent(key, value),
  } as Store;
  const time = new StoreClock(counting, clock);
  await Promise.all([time.fresh(), time.fresh()]);
  t.is(reads, 2, 'once to find that there is none');
  await time.fresh();
  t.is(reads, 2);
  await clock.advance(1_000);
  await Promise.all([time.fresh(), time.fresh()]);
  t.is(reads, 3);
});
