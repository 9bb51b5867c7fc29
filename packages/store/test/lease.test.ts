import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '@warren/core';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { VirtualClock } from '@warren/core/testing';
import * as fc from 'fast-check';
import { Lease, Records } from '../src/index.js';
import type { LeaseLostError, RecordEntry } from '../src/index.js';
import { memoryStore } from '../src/memory.js';
import { FallibleStore } from './_fallible-store.js';

const DURATION = 9_000;
const TTL = 60_000;

interface Held {
  readonly holder: string;
  readonly progress?: number;
}

/** A lease that `one` holds, on a store that both see; `one`'s view of it may fail. */
async function leased(timeout?: number, took = 0) {
  const clock = new VirtualClock();
  const shared = memoryStore({ timeout: 60_000, clock });
  const store = new FallibleStore(shared, timeout);
  const records = new Records<Held>(store, 'lease/');
  const others = new Records<Held>(shared, 'lease/');
  const value: Held = { holder: 'one' };
  const since = clock.monotonic();
  const version = (await records.putIfAbsent('key', value, { ttl: TTL })) ?? NaN;
  await clock.advance(took);
  const lost: LeaseLostError[] = [];
  const onLost = (error: LeaseLostError): void => void lost.push(error);
  const lease = new Lease<Held>({ records, key: 'key', value, version, duration: DURATION, ttl: TTL, clock, since, onLost });
  const found = (): Promise<RecordEntry<Held> | undefined> => others.get('key');
  /** What another worker does: it takes what is old enough. */
  const takeOver = async (): Promise<number | undefined> => {
    const entry = await found();
    if (!entry || entry.age < DURATION) return undefined;
    return others.replaceIfVersion('key', entry.version, { value: { holder: 'two' }, ttl: TTL });
  };
  return { clock, store, records, others, lease, lost, found, takeOver, version };
}

test('While its holder works a record is renewed, and nobody else takes it.', async (t) => {
  const { clock, lease, lost, found, takeOver, version } = await leased();
  for (let second = 0; second < 100; second++) {
    await clock.advance(1_000);
    t.true(((await found())?.age ?? NaN) <= DURATION / 3);
    t.is(await takeOver(), undefined);
  }
  t.is(lease.fence, version);
  t.true(((await found())?.version ?? NaN) > lease.fence);
  t.deepEqual(lost, []);
});

test('An update is seen by others, renews, and is what the next one changes.', async (t) => {
  const { clock, lease, found } = await leased();
  await clock.advance(2_000);
  await Promise.all(
    [0.2, 0.4, 0.6].map((progress) => lease.update((value) => ({ ...value, progress: (value.progress ?? 0) + progress }))),
  );
  t.like(await found(), { age: 0 });
  t.deepEqual((await found())?.value.holder, 'one');
  t.true(Math.abs((lease.value.progress ?? NaN) - 1.2) < 1e-9);
});

test('A holder whose record somebody has taken is told at its next renewal, once.', async (t) => {
  const { clock, lease, lost, others, found } = await leased();
  const taken = (await found())?.version ?? NaN;
  await others.replaceIfVersion('key', taken, { value: { holder: 'two' }, ttl: TTL });
  await clock.advance(DURATION / 3);
  t.is(lost.length, 1);
  t.is(lost[0]?.code, 'ERR_LEASE_LOST');
  t.is(lease.lost, lost[0]);
  await t.throwsAsync(
    lease.update((value) => value),
    { code: 'ERR_LEASE_LOST' },
  );
  await t.throwsAsync(
    lease.end((value) => value, { ttl: TTL }),
    { code: 'ERR_LEASE_LOST' },
  );
  await lease.release();
  t.is((await found())?.value.holder, 'two');
  await clock.advance(10 * DURATION);
  t.is(lost.length, 1);
});

test('A record that is gone is lost, too.', async (t) => {
  const { clock, lost, others, found } = await leased();
  await others.deleteIfVersion('key', (await found())?.version ?? NaN);
  await clock.advance(DURATION / 3);
  t.is(lost.length, 1);
});

for (const fault of ['before', 'silent'] as const) {
  test(`A store that is away for the whole time takes the lease when that is over, and not before. (${fault})`, async (t) => {
    const { clock, store, lost, takeOver, lease } = await leased(500);
    store.always = fault;
    await clock.advance(DURATION - 1);
    t.deepEqual(lost, []);
    t.is(await takeOver(), undefined);
    await clock.advance(1);
    t.is(lost.length, 1);
    t.truthy(await takeOver());
    store.always = undefined;
    if (fault === 'before')
      await t.throwsAsync(
        lease.update((value) => value),
        { code: 'ERR_LEASE_LOST' },
      );
  });
}

test('A store that is back in time leaves the lease with its holder.', async (t) => {
  const { clock, store, lost, found } = await leased();
  store.always = 'before';
  await clock.advance(DURATION - DURATION / 9 - 1);
  store.always = undefined;
  await clock.advance(DURATION / 9);
  t.deepEqual(lost, []);
  await clock.advance(10 * DURATION);
  t.deepEqual(lost, []);
  t.true(((await found())?.age ?? NaN) <= DURATION / 3);
});

test('A write that failed but happened is recognized: the lease goes on.', async (t) => {
  const { clock, store, lease, lost, found } = await leased();
  store.faults.push('after');
  await t.throwsAsync(
    lease.update((value) => ({ ...value, progress: 0.5 })),
    { code: 'ERR_STORE_UNAVAILABLE' },
  );
  await clock.advance(DURATION);
  t.deepEqual(lost, []);
  t.deepEqual((await found())?.value, { holder: 'one', progress: 0.5 });
  await lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL });
  t.deepEqual((await found())?.value, { holder: 'one', progress: 1 });
});

test('A write that happens long after it failed is recognized.', async (t) => {
  const { clock, store, lease, lost, found } = await leased(20);
  store.faults.push('late');
  await t.throwsAsync(
    lease.update((value) => ({ ...value, progress: 0.5 })),
    { code: 'ERR_STORE_TIMEOUT' },
  );
  await store.settle();
  await lease.update((value) => ({ ...value, holder: 'one' }));
  await clock.advance(DURATION / 3);
  t.deepEqual(lost, []);
  t.deepEqual((await found())?.value, { holder: 'one', progress: 0.5 });
});

test('A write that comes after the next one is refused by its version.', async (t) => {
  const { store, lease, lost, found } = await leased(20);
  store.faults.push('late');
  await t.throwsAsync(
    lease.update((value) => ({ ...value, progress: 0.5 })),
    { code: 'ERR_STORE_TIMEOUT' },
  );
  await lease.update((value) => ({ ...value, progress: 0.7 }));
  await store.settle();
  await lease.update((value) => value);
  t.deepEqual((await found())?.value, { holder: 'one', progress: 0.7 });
  t.deepEqual(lost, []);
});

test('The end is written once, expires in its own time, and ends the renewals.', async (t) => {
  const { clock, lease, lost, found } = await leased();
  await lease.end((value) => ({ ...value, progress: 1 }), { ttl: 5 * DURATION });
  const { version } = (await found()) ?? {};
  await clock.advance(4 * DURATION);
  t.like(await found(), { version, age: 4 * DURATION });
  await clock.advance(DURATION);
  t.is(await found(), undefined);
  t.deepEqual(lost, []);
});

test('An end that a store refuses for a while is written when it is back.', async (t) => {
  const { clock, store, lease, found } = await leased();
  store.always = 'before';
  const ended = lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL });
  await clock.advance(DURATION / 2);
  store.always = undefined;
  await clock.advance(1_000);
  await ended;
  t.deepEqual((await found())?.value, { holder: 'one', progress: 1 });
});

test('An end that a store refuses until the lease is over rejects.', async (t) => {
  const { clock, store, lease } = await leased();
  store.always = 'before';
  const ended = t.throwsAsync(
    lease.end((value) => value, { ttl: TTL }),
    { code: 'ERR_STORE_UNAVAILABLE' },
  );
  await clock.advance(DURATION + 1_000);
  await ended;
});

/** A store that is not in this process: it answers in a later turn of the event loop. */
async function heldElsewhere(t: ExecutionContext, duration: number) {
  const store = new FallibleStore(memoryStore({ timeout: 60_000 }));
  const records = new Records<Held>(store, 'lease/');
  records.replaceIfVersion = async (...given) => {
    await turn();
    return Records.prototype.replaceIfVersion.apply(records, given);
  };
  const value = { holder: 'one' };
  const version = (await records.putIfAbsent('key', value, { ttl: TTL })) ?? NaN;
  const lost: LeaseLostError[] = [];
  const onLost = (error: LeaseLostError): void => void lost.push(error);
  const lease = new Lease<Held>({ records, key: 'key', value, version, duration, ttl: TTL, clock: new SystemClock(), onLost });
  t.teardown(() => lease.release());
  return { store, records, lease, lost, version };
}

function standStill(ms: number): void {
  for (const began = performance.now(); performance.now() - began < ms;);
}

test('A holder whose process stood still beyond its time keeps what nobody has taken.', async (t) => {
  const { records, lost, version } = await heldElsewhere(t, 300);
  for (let part = 0; part < 5; part++) {
    standStill(400);
    await turn();
  }
  while (lost.length === 0 && (await records.get('key'))?.version === version) await sleep(5);
  t.deepEqual(lost, []);
});

test('A holder whose process stood still beyond its time is told what somebody has taken meanwhile.', async (t) => {
  const { records, lost, version } = await heldElsewhere(t, 300);
  await Records.prototype.replaceIfVersion.call(records, 'key', version, { value: { holder: 'two' }, ttl: TTL });
  standStill(700);
  while (lost.length === 0) await sleep(5);
  t.is((await records.get('key'))?.value.holder, 'two');
});

test('A holder whose process stood still beyond its time is told when the store is away, too.', async (t) => {
  const { store, lost } = await heldElsewhere(t, 300);
  store.always = 'before';
  standStill(700);
  while (lost.length === 0) await sleep(5);
  store.always = undefined;
  t.is(lost.length, 1);
});

test('A holder that the store answered late has the lease for no longer than the store says.', async (t) => {
  const { clock, store, lost, takeOver } = await leased(undefined, 4_000);
  store.always = 'before';
  await clock.advance(DURATION - 4_000 - 1);
  t.is(await takeOver(), undefined);
  t.deepEqual(lost, []);
  await clock.advance(1);
  t.is(lost.length, 1);
  t.truthy(await takeOver());
});

for (const end of ['end', 'release'] as const) {
  test(`What is written after the ${end} is refused, and changes nothing.`, async (t) => {
    const { lease, found } = await leased();
    await (end === 'end' ? lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL }) : lease.release());
    const ended = await found();
    await t.throwsAsync(
      lease.update((value) => ({ ...value, progress: 0.5 })),
      { code: 'ERR_LEASE_LOST' },
    );
    t.deepEqual(await found(), ended);
  });
}

test('What is written while the end waits for a store that is away is refused.', async (t) => {
  const { clock, store, lease, found } = await leased();
  store.faults.push('before');
  const ended = lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL });
  await turn();
  await t.throwsAsync(
    lease.update((value) => ({ ...value, progress: 0.5 })),
    { code: 'ERR_LEASE_LOST' },
  );
  await clock.advance(1_000);
  await ended;
  t.is((await found())?.value.progress, 1);
});

test('An end that the store will always refuse rejects at once.', async (t) => {
  const { lease } = await leased();
  const holder = 'x'.repeat(256 * 1024);
  await t.throwsAsync(
    lease.end((value) => ({ ...value, holder }), { ttl: TTL }),
    { code: 'ERR_STORE_LIMIT' },
  );
});

test('An end that failed but happened is not written twice.', async (t) => {
  const { clock, store, lease, lost, found } = await leased();
  store.faults.push('after');
  const ended = lease.end((value) => ({ ...value, progress: (value.progress ?? 0) + 1 }), { ttl: TTL });
  await clock.advance(1_000);
  await ended;
  t.like(await found(), { value: { holder: 'one', progress: 1 }, age: 1_000 });
  t.deepEqual(lost, []);
});

test('An end that nobody heard of is not deleted by a release.', async (t) => {
  const { clock, store, lease, found } = await leased();
  store.faults.push('after');
  store.always = 'before';
  const ended = t.throwsAsync(
    lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL }),
    { code: 'ERR_STORE_UNAVAILABLE' },
  );
  await clock.advance(DURATION + 1_000);
  await ended;
  store.always = undefined;
  await lease.release();
  t.is((await found())?.value.progress, 1);
});

test('An end among the records of a transaction leaves the version that a release may delete.', async (t) => {
  const { lease, others, found } = await leased();
  await lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL, records: others });
  await lease.release();
  t.is((await found())?.value.progress, 1, 'what was committed stays');

  const rolledBack = await leased();
  const discarded = new Records<Held>(memoryStore({ timeout: 1_000 }), 'lease/');
  discarded.replaceIfVersion = async () => 1_000;
  await rolledBack.lease.end((value) => ({ ...value, progress: 1 }), { ttl: TTL, records: discarded });
  await rolledBack.lease.release();
  t.is(await rolledBack.found(), undefined, 'what was rolled back is free');
});

test('An end among the records of a transaction is tried once.', async (t) => {
  const { lease, store, records } = await leased();
  store.faults.push('before');
  const inside = new Records<Held>(store, 'lease/');
  await t.throwsAsync(
    lease.end((value) => value, { ttl: TTL, records: inside }),
    { code: 'ERR_STORE_UNAVAILABLE' },
  );
  t.truthy(await records.get('key'));
});

test('A release frees the key, and ends the renewals.', async (t) => {
  const { clock, lease, others, lost } = await leased();
  await lease.release();
  const version = (await others.putIfAbsent('key', { holder: 'two' }, { ttl: TTL })) ?? NaN;
  t.true(version > lease.fence);
  await clock.advance(DURATION - 1);
  t.like(await others.get('key'), { version });
  t.deepEqual(lost, []);
});

test('A release frees the key also after a renewal that nobody heard of.', async (t) => {
  const { clock, store, lease, found } = await leased();
  store.faults.push('after');
  await clock.advance(DURATION / 3);
  await lease.release();
  t.is(await found(), undefined);
});

test('Whatever the store does, at most one holds a key at a time, and its writes are never mixed with those of another.', async (t) => {
  const fault = fc.constantFrom(undefined, undefined, 'before' as const, 'after' as const);
  const step = fc.record({ ms: fc.integer({ min: 0, max: DURATION / 2 }), fault, progress: fc.option(fc.integer({ max: 9 })) });
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const { clock, store, lease, lost, found, takeOver } = await leased();
    for (const { ms, fault, progress } of steps) {
      if (fault) store.faults.push(fault);
      if (progress !== null) await lease.update((value) => ({ ...value, progress })).catch(() => {});
      await clock.advance(ms);
      await turn();
      const taken = await takeOver();
      if (taken !== undefined) t.true(lost.length === 1 && taken > lease.fence);
      const { holder } = (await found())?.value ?? {};
      if (lost.length === 0) t.is(holder, 'one');
      if (holder === 'two') t.is(lost.length, 1);
    }
    await lease.release().catch(() => {});
  });
  await fc.assert(property, { numRuns: 200 });
});
