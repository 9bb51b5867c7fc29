import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SystemClock } from '@warren/core';
import { VirtualClock } from '@warren/core/testing';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import { startPostgres, startRedis, withPostgres, withRedis } from '@warren/store-servers';
import * as fc from 'fast-check';
import { StoreLimiter } from '../src/index.js';
import type { Claim } from '../src/index.js';
import { densest } from './_broker.js';
import { elapsing } from './_worker.js';

/** What a start is counted later than it was granted, on a store that answers at once, and milliseconds that clocks are coarse. */
const SLACK = 25;

function limited(...stores: Store[]) {
  const clock = new VirtualClock();
  const store = stores[0] ?? createStore('memory:', { clock });
  const limiter = new StoreLimiter({ store, clock });
  return { clock, store, limiter, other: new StoreLimiter({ store, clock }) };
}

/** A store that takes `ms` milliseconds for each change. */
function slow(store: Store, delay: () => Promise<unknown>): Store {
  return {
    get: (key) => store.get(key),
    putIfAbsent: (key, value, options) => delay().then(() => store.putIfAbsent(key, value, options)),
    replaceIfVersion: (key, version, change) => delay().then(() => store.replaceIfVersion(key, version, change)),
    deleteIfVersion: (key, version) => store.deleteIfVersion(key, version),
    list: (prefix) => store.list(prefix),
    close: () => store.close(),
  };
}

const claim = (key: string, max: number, per = 1_000): Claim => ({ key, limit: { max, per } });

test('Two that share a store share a limit.', async (t) => {
  const { clock, limiter, other } = limited();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? limiter : other).take([claim('a', 5)])),
  );
  t.is(answers.filter((wait) => wait === 0).length, 5);
  t.true(answers.every((wait) => wait === 0 || (wait >= 1_000 && wait <= 1_000 + SLACK)));
  await clock.advance(999);
  t.not(await limiter.take([claim('a', 5)]), 0);
  await clock.advance(1 + SLACK);
  t.is(await other.take([claim('a', 5)]), 0);
});

test('Keys count apart, whatever characters and length they have.', async (t) => {
  const { limiter, other } = limited();
  for (const key of ['a', 'b', 'ä', 'nul\0', 'half\ud83d', 'x'.repeat(10_000), `${'x'.repeat(10_000)}y`]) {
    t.is(await limiter.take([claim(key, 1)]), 0, key.slice(0, 20));
    t.not(await other.take([claim(key, 1)]), 0, key.slice(0, 20));
  }
});

test('A start counts under all claims, or under none.', async (t) => {
  const { limiter, other } = limited();
  const both = [claim('worker', 3), claim('handler', 2)];
  t.deepEqual(await Promise.all([limiter.take(both), limiter.take(both)]), [0, 0]);
  t.not(await limiter.take(both), 0);
  t.is(await other.take([claim('worker', 3)]), 0, 'the worker was counted twice, not three times');
  t.not(await other.take([claim('worker', 3)]), 0);
  t.not(await limiter.take([claim('worker', 3), claim('free', 2)]), 0);
  t.deepEqual(await Promise.all([other.take([claim('free', 2)]), other.take([claim('free', 2)])]), [0, 0]);
});

test('A pause holds for all, also for those without a limit.', async (t) => {
  const { clock, limiter, other } = limited();
  await limiter.pause('a', 5_000);
  await other.pause('a', 1_000);
  for (const max of [100, Infinity]) {
    const wait = await other.take([claim('a', max)]);
    t.true(wait > 4_900 && wait <= 5_000 + SLACK, `${wait}`);
  }
  t.is(await other.take([claim('b', 100)]), 0);
  await clock.advance(5_000 + SLACK);
  t.is(await limiter.take([claim('a', Infinity)]), 0);
});

test('Where the store rejects, nothing is granted.', async (t) => {
  const { limiter, store } = limited();
  t.is(await limiter.take([claim('a', 1)]), 0);
  await store.close();
  await t.throwsAsync(limiter.take([claim('a', 1)]), { code: 'ERR_STORE_CLOSED' });
  await t.throwsAsync(limiter.pause('a', 1), { code: 'ERR_STORE_CLOSED' });
});

test('A grant that took longer than it was counted for is taken back and asked for again.', async (t) => {
  const memory = createStore('memory:');
  const clock = new SystemClock();
  let delays = [0, 150, 0, 0];
  const store = slow(memory, () => sleep(delays.shift() ?? 0));
  const limiter = new StoreLimiter({ store, clock });
  const began = performance.now();
  t.is(await limiter.take([claim('a', 1, 10_000)]), 0);
  t.true(performance.now() - began >= 149);
  delays = [];
  const wait = await new StoreLimiter({ store: memory, clock }).take([claim('a', 1, 10_000)]);
  t.true(wait > 10_000 - 50, 'it counts from its second count on');
});

test('A store that has forgotten everything is counted in anew.', async (t) => {
  const { clock, store, limiter, other } = limited();
  t.is(await limiter.take([claim('a', 1, 60_000)]), 0);
  for await (const { key, version } of store.list('')) await store.deleteIfVersion(key, version);
  await clock.advance(1_000);
  t.is(await other.take([claim('a', 1, 60_000)]), 0);
  t.not(await limiter.take([claim('a', 1, 60_000)]), 0);
});

test('Records expire when they are over.', async (t) => {
  const { clock, store, limiter } = limited();
  for (let key = 0; key < 3_000; key++) t.is(await limiter.take([claim(`${key}`, 1, 1_000)]), 0);
  await clock.advance(10_000);
  const left = [];
  for await (const { key } of store.list('limit/')) left.push(key);
  t.deepEqual(left, ['limit/epoch']);
});

test('In no window are there more starts than allowed, whoever asks and however long the store takes.', async (t) => {
  const asks = fc.array(fc.record({ gap: fc.nat(40), by: fc.nat(2), takes: fc.nat(60) }), {
    maxLength: 60,
  });
  const property = fc.asyncProperty(asks, fc.integer({ min: 1, max: 4 }), async (asks, max) => {
    const clock = new VirtualClock();
    const memory = createStore('memory:', { clock });
    let takes = 0;
    const store = slow(memory, () => clock.sleep(takes));
    const limiters = [0, 1, 2].map(() => new StoreLimiter({ store, clock }));
    const starts: number[] = [];
    const pending: Array<Promise<void>> = [];
    for (const ask of asks) {
      takes = ask.takes;
      const answer = limiters[ask.by]?.take([claim('a', max, 100)]);
      pending.push(Promise.resolve(answer).then((wait) => void (wait === 0 && starts.push(clock.monotonic()))));
      await clock.advance(ask.gap);
    }
    takes = 0;
    await elapsing(clock, Promise.all(pending));
    t.true(densest(starts, 100) <= max);
    t.true(asks.length === 0 || starts.length > 0);
  });
  await fc.assert(property, { numRuns: 50 });
});

/** When each of three processes started something, `count` times at least. */
async function race(t: ExecutionContext, plan: { url: string; claims: readonly Claim[]; count: number }): Promise<number[]> {
  const program = fileURLToPath(new URL('_starting-process.js', import.meta.url));
  const run = async (): Promise<number[]> => {
    const started = promisify(execFile)(process.execPath, [program, JSON.stringify(plan)], { maxBuffer: 64 * 1024 * 1024 });
    t.teardown(() => started.child.kill('SIGKILL'));
    return JSON.parse((await started).stdout) as number[];
  };
  const starts = await Promise.all([run(), run(), run()]);
  return starts.flat().toSorted((a, b) => a - b);
}

/** A process may be held up so many milliseconds between what it was granted and the look at its clock. */
const HELD_UP = 100;

/** Three processes for each of two handlers: no window has too many starts, neither of a handler nor of all. */
async function shared(t: ExecutionContext, url: string): Promise<void> {
  const worker = claim('worker', 30, 300);
  const [narrow, wide] = await Promise.all([
    race(t, { url, claims: [worker, claim('narrow', 10, 300)], count: 8 }),
    race(t, { url, claims: [worker, claim('wide', 100, 300)], count: 16 }),
  ]);
  const all = [...narrow, ...wide].toSorted((a, b) => a - b);
  t.true(all.length >= 72);
  t.true(densest(narrow, 300 - HELD_UP) <= 10, `${densest(narrow, 300 - HELD_UP)} of one handler`);
  t.true(densest(all, 300 - HELD_UP) <= 30, `${densest(all, 300 - HELD_UP)} of all`);
}

// One after another: each has the machine to itself.
test.serial('Six processes share limits in LMDB.', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'warren-limit-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await shared(t, `lmdb:${folder}`);
});

withRedis(test.serial)('Six processes share limits in Redis.', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  await shared(t, redis.url);
});

withPostgres(test.serial)('Six processes share limits in PostgreSQL.', async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  await shared(t, postgres.url);
});
