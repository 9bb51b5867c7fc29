import test from 'ava';
import { VirtualClock } from '@warren/core/testing';
import { createStore, Records } from '@warren/store';
import type { Store } from '@warren/store';
import { EMPTY, withStart } from '../src/shared-window.js';
import type { SharedWindow } from '../src/shared-window.js';
import { SharedRecord } from '../src/shared-record.js';
import type { Change } from '../src/shared-record.js';
import { StoreClock } from '../src/store-clock.js';

/** A record, and how often it was written. */
async function recorded(write: (store: Store, value: string) => Promise<unknown> = async () => {}) {
  const clock = new VirtualClock();
  const memory = createStore('memory:', { clock });
  const writes: string[] = [];
  const store: Store = {
    get: (key) => memory.get(key),
    putIfAbsent: (key, value, options) =>
      write(memory, value).then(() => (writes.push(value), memory.putIfAbsent(key, value, options))),
    replaceIfVersion: (key, version, change) =>
      write(memory, change.value).then(() => (writes.push(change.value), memory.replaceIfVersion(key, version, change))),
    deleteIfVersion: (key, version) => memory.deleteIfVersion(key, version),
    list: (prefix) => memory.list(prefix),
    close: () => memory.close(),
  };
  const time = new StoreClock(memory, clock);
  await time.fresh();
  const records = new Records<SharedWindow>(store, 'limit/');
  return { memory, writes, record: new SharedRecord('a', { records, clock: time }) };
}

/** One start more; its answer is how many there were. */
const count: Change<number> = (window) => [
  withStart(window, { max: 1_000, per: 1_000 }, 5),
  window.starts.reduce((sum, [, starts]) => sum + starts, 0),
];

test('What is asked for at once goes to the store together, one after another.', async (t) => {
  const { record, writes } = await recorded();
  const first = Array.from({ length: 50 }, () => record.change(count));
  t.false(record.idle);
  t.deepEqual(
    await Promise.all(first),
    Array.from({ length: 50 }, (_, index) => index),
  );
  t.is(writes.length, 1);
  t.is(await record.change(count), 50);
});

test('A change that changes nothing is not written.', async (t) => {
  const { record, writes } = await recorded();
  t.is(await record.change((window) => [window, 'as it was']), 'as it was');
  t.deepEqual(writes, []);
});

test('A change that somebody else has overtaken is made again, on what is there then.', async (t) => {
  let others = 3;
  const { record, memory, writes } = await recorded(async (store) => {
    if (others-- <= 0) return;
    const found = await store.get('limit/a');
    const [value] = count(found ? (JSON.parse(found.value) as SharedWindow) : EMPTY, { earliest: 0, latest: 0 });
    if (found) await store.replaceIfVersion('limit/a', found.version, { value: JSON.stringify(value) });
    else await store.putIfAbsent('limit/a', JSON.stringify(value));
  });
  t.is(await record.change(count), 3);
  t.is(writes.length, 4);
  t.deepEqual((JSON.parse((await memory.get('limit/a'))?.value ?? '') as SharedWindow).starts, [[5, 4]]);
});

test('Where the store rejects, all that went together do, and those after them are asked again.', async (t) => {
  let failures = 1;
  const { record } = await recorded(async () => {
    if (failures-- > 0) throw new Error('away');
  });
  const both = await Promise.allSettled([record.change(count), record.change(count)]);
  t.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.is(await record.change(count), 0);
  t.true(record.idle);
});
