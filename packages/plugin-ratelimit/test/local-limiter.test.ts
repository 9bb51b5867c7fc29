import test from 'ava';
import * as fc from 'fast-check';
import { LocalLimiter } from '../src/index.js';
import type { Claim } from '../src/index.js';

/** A limiter whose time is set by hand. */
function limiterAt(maxKeys = 100_000): { clock: { now: number; monotonic(): number }; limiter: LocalLimiter } {
  const clock = { now: 0, monotonic: () => clock.now };
  return { clock, limiter: new LocalLimiter({ clock, maxKeys }) };
}

const claim = (key: string, max: number, per = 1_000): Claim => ({ key, limit: { max, per } });

/** The most starts in any window [t, t + per). */
function densest(starts: readonly number[], per: number): number {
  return Math.max(0, ...starts.map((first) => starts.filter((start) => start >= first && start < first + per).length));
}

test('in no window are there more starts than max, and none is refused that would fit', (t) => {
  const arrivals = fc.array(fc.record({ gap: fc.integer({ min: 0, max: 40 }), key: fc.constantFrom('a', 'b', 'c') }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 100 }), (steps, max, per) => {
      const { clock, limiter } = limiterAt();
      const starts: Record<string, number[]> = { a: [], b: [], c: [] };
      for (const { gap, key } of steps) {
        clock.now += gap;
        const seen = starts[key] ?? [];
        const inWindow = seen.filter((start) => start > clock.now - per).length;
        const wait = limiter.take([claim(key, max, per)]);
        t.is(wait === 0, inWindow < max);
        if (wait === 0) seen.push(clock.now);
      }
      for (const seen of Object.values(starts)) t.true(densest(seen, per) <= max);
    }),
  );
});

test('the wait it names is exact: a moment sooner is refused, then is granted', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 1, max: 5 }),
      (gaps, max) => {
        const { clock, limiter } = limiterAt();
        for (const gap of gaps) {
          clock.now += gap;
          const wait = limiter.take([claim('a', max, 100)]);
          if (wait === 0) continue;
          clock.now += wait - 1;
          t.is(limiter.take([claim('a', max, 100)]), 1);
          clock.now += 1;
          t.is(limiter.take([claim('a', max, 100)]), 0);
        }
      },
    ),
  );
});

test('the edge of a fixed window cannot be used for a double burst', (t) => {
  const { clock, limiter } = limiterAt();
  const granted = (): number =>
    Array.from({ length: 20 }, () => limiter.take([claim('a', 10)])).filter((wait) => wait === 0).length;
  clock.now = 990;
  t.is(granted(), 10);
  clock.now = 1_010;
  t.is(granted(), 0);
  clock.now = 1_989;
  t.is(granted(), 0);
  clock.now = 1_990;
  t.is(granted(), 10);
});

test('several claims are counted together or not at all', (t) => {
  const { clock, limiter } = limiterAt();
  const [worker, handler] = [claim('worker', 3), claim('handler', 1, 5_000)];
  t.is(limiter.take([worker, handler]), 0);
  t.is(limiter.take([worker, handler]), 5_000);
  t.is(limiter.take([worker]), 0);
  t.is(limiter.take([worker]), 0, 'what was refused has not been counted');
  t.is(limiter.take([worker]), 1_000);
  clock.now = 1_000;
  t.is(limiter.take([worker]), 0);
});

test('a start that was late counts from when it was', (t) => {
  const { clock, limiter } = limiterAt();
  const claims = [claim('a', 1), claim('never asked for', Infinity)];
  t.is(limiter.take(claims), 0);
  clock.now = 30;
  limiter.started(claims);
  clock.now = 1_000;
  t.is(limiter.take(claims), 30);
});

test('a smaller max counts the starts that were', (t) => {
  const { clock, limiter } = limiterAt();
  for (clock.now = 0; clock.now < 5; clock.now++) limiter.take([claim('a', 5)]);
  t.is(limiter.take([claim('a', 2)]), 3 + 1_000 - 5, 'the second last start has to leave the window');
  t.is(limiter.take([claim('a', 6)]), 0);
});

test('a pause holds everything back, and longer pauses stay', (t) => {
  const { clock, limiter } = limiterAt();
  limiter.pause('a', 500);
  limiter.pause('a', 100);
  t.is(limiter.take([claim('a', 5)]), 500);
  t.is(limiter.take([claim('a', Infinity)]), 500);
  t.is(limiter.take([claim('b', 5)]), 0);
  clock.now = 500;
  t.is(limiter.take([claim('a', Infinity)]), 0);
});

test('keys whose windows are over are forgotten', (t) => {
  const { clock, limiter } = limiterAt();
  for (let key = 0; key < 200_000; key++) {
    clock.now += 1;
    t.is(limiter.take([claim(`key ${key}`, 1)]), 0);
  }
  t.true(limiter.keys <= 4_096, `${limiter.keys} keys in memory`);
});

test('at the cap a new key waits until one is over; none is dropped for it', (t) => {
  const { clock, limiter } = limiterAt(10);
  for (let key = 0; key < 10; key++) t.is(limiter.take([claim(`key ${key}`, 1)]), 0);
  const wait = limiter.take([claim('new', 1)]);
  t.true(wait > 0);
  for (let key = 0; key < 10; key++) t.is(limiter.take([claim(`key ${key}`, 1)]), 1_000);
  t.is(limiter.keys, 10);
  clock.now += wait;
  t.is(limiter.take([claim('new', 1)]), 0);
});

test('under a flood of keys no key ever gets more than its max', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.integer({ min: 0, max: 5 }), key: fc.integer({ min: 0, max: 12 }) }), { maxLength: 300 }),
      (steps) => {
        const { clock, limiter } = limiterAt(4);
        const starts = new Map<number, number[]>();
        for (const { gap, key } of steps) {
          clock.now += gap;
          const seen = starts.get(key) ?? [];
          starts.set(key, seen);
          if (limiter.take([claim(String(key), 2, 30)]) === 0) seen.push(clock.now);
          t.true(limiter.keys <= 4);
        }
        for (const seen of starts.values()) t.true(densest(seen, 30) <= 2);
      },
    ),
  );
});
