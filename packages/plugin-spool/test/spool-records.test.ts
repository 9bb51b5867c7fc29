import { randomBytes } from 'node:crypto';
import test from 'ava';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import * as fc from 'fast-check';
import { SpoolRecords } from '../src/spool-records.js';
import { ageing, keysOf } from './_store.js';

const MANY = 'x'.repeat(700_000);

async function textsIn(records: SpoolRecords): Promise<Array<string | undefined>> {
  return Promise.all((await records.left()).map(async (id) => (await records.read(id))?.text));
}

test('texts of any length come back, in the order in which they were written, and leave nothing when they are erased', async (t) => {
  const length = fc.oneof(fc.nat(50), fc.integer({ min: 262_000, max: 263_000 }), fc.nat(900_000));
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 5 }), async (lengths) => {
      const store = createStore('memory:');
      const writer = new SpoolRecords(store);
      const texts = lengths.map((size) => randomBytes(size).toString('base64').slice(0, size));
      // At one moment, and written at once: their order is that of the calls.
      const places = await Promise.all(texts.map((text) => writer.write(text, 1_000)));
      t.deepEqual(await textsIn(new SpoolRecords(store)), texts);
      for (const place of places) await writer.erase(place);
      t.deepEqual(await keysOf(store), []);
    }),
    { numRuns: 30 },
  );
});

test('a process is not left its own texts', async (t) => {
  const records = new SpoolRecords(createStore('memory:'));
  await records.write('one', 1_000);
  t.deepEqual(await records.left(), []);
});

test('a later process writes later ids, and a clock that is set back changes no order within one', async (t) => {
  const store = createStore('memory:');
  const [first, second] = [new SpoolRecords(store), new SpoolRecords(store)];
  for (const [text, now] of [
    ['a', 5_000],
    ['b', 1_000],
    ['c', 1_000],
  ] as const) {
    await first.write(text, now);
  }
  await second.write('d', 6_000);
  t.deepEqual(await textsIn(new SpoolRecords(store)), ['a', 'b', 'c', 'd']);
});

test('a text that is half written is none; its parts are swept when they are old', async (t) => {
  const { store, grow } = ageing();
  await t.throwsAsync(new SpoolRecords(dyingAtHeads(store)).write(MANY, 1_000), { message: 'killed' });
  t.is((await keysOf(store)).length, 2);
  t.deepEqual(await new SpoolRecords(store).left(), []);
  t.is((await keysOf(store)).length, 2, 'somebody may be writing them');
  await grow(60_000);
  t.deepEqual(await new SpoolRecords(store).left(), []);
  t.deepEqual(await keysOf(store), []);
});

test('the parts of a text that is left are not swept', async (t) => {
  const { store, grow } = ageing();
  await new SpoolRecords(store).write(MANY, 1_000);
  await grow(3_600_000);
  t.deepEqual(await textsIn(new SpoolRecords(store)), [MANY]);
});

test('a text that somebody else erases meanwhile is gone', async (t) => {
  const store = createStore('memory:');
  const [writer, reader] = [new SpoolRecords(store), new SpoolRecords(store)];
  const places = [await writer.write('short', 1_000), await writer.write(MANY, 1_000)];
  const ids = await reader.left();
  for (const place of places) await writer.erase(place);
  for (const id of ids) t.is(await reader.read(id), undefined);
});

/** As a process that is killed when all parts are written. */
function dyingAtHeads(store: Store): Store {
  const putIfAbsent: Store['putIfAbsent'] = (key, value) =>
    key.includes('/message/') ? Promise.reject(new Error('killed')) : store.putIfAbsent(key, value);
  return new Proxy(store, { get: (target, name) => (name === 'putIfAbsent' ? putIfAbsent : Reflect.get(target, name, target)) });
}
