import { inspect } from 'node:util';
import test from 'ava';
import * as fc from 'fast-check';
import { backoff, exponential, fixed, linear, never, perError, waitAfter } from '../src/retry.js';
import type { RetryPolicy } from '../src/retry.js';

const attempts = fc.integer({ min: 1, max: 5_000 });
const wait = fc.double({ min: 0, max: 1e9, noNaN: true });
const error = new Error('failed');

test('exponential waits between 0 and the computed wait, never longer than max, maxAttempts times in all', (t) => {
  fc.assert(
    fc.property(
      attempts,
      fc.record({
        maxAttempts: fc.integer({ min: 1, max: 100 }),
        initial: wait,
        factor: fc.double({ min: 1, max: 10, noNaN: true }),
        max: wait,
      }),
      (attempt, options) => {
        const chosen = exponential(options)(attempt, error);
        if (attempt >= options.maxAttempts) return chosen === null;
        const computed = Math.min(options.max, options.initial * options.factor ** (attempt - 1));
        return chosen !== null && Number.isInteger(chosen) && chosen >= 0 && chosen <= Math.ceil(computed);
      },
    ),
  );
  t.pass();
});

test('full jitter spreads over the whole range', (t) => {
  const policy = backoff({ initial: 1_000, factor: 2, max: 60_000 });
  const waits = Array.from({ length: 500 }, () => policy(3));
  t.true(Math.min(...waits) < 1_000 && Math.max(...waits) > 3_000 && Math.max(...waits) <= 4_000);
});

test('without jitter waits grow by the factor, never shrink, and stop at max', (t) => {
  const policy = exponential({ initial: 1_000, factor: 2, max: 10_000, jitter: 'none', maxAttempts: 7 });
  t.deepEqual(
    [1, 2, 3, 4, 5, 6, 7].map((attempt) => policy(attempt, error)),
    [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, null],
  );
  fc.assert(
    fc.property(attempts, wait, wait, fc.double({ min: 1, max: 10, noNaN: true }), (attempt, initial, max, factor) => {
      const waits = backoff({ initial, max, factor, jitter: 'none' });
      return waits(attempt) <= waits(attempt + 1) && waits(attempt + 1) <= Math.ceil(max);
    }),
  );
});

test('a wait that begins at 0 stays 0, also where the power overflows', (t) => {
  t.is(backoff({ initial: 0 })(Number.MAX_SAFE_INTEGER), 0);
  t.is(backoff({ initial: 1, max: 500, jitter: 'none' })(Number.MAX_SAFE_INTEGER), 500);
});

test('fixed and linear wait as they say, and give up after maxAttempts', (t) => {
  const same = fixed({ maxAttempts: 3, delay: 50 });
  t.deepEqual(
    [1, 2, 3, 4].map((attempt) => same(attempt, error)),
    [50, 50, null, null],
  );
  const rising = linear({ maxAttempts: 5, initial: 100, step: 200, max: 450 });
  t.deepEqual(
    [1, 2, 3, 4, 5].map((attempt) => rising(attempt, error)),
    [100, 300, 450, 450, null],
  );
  t.is(never(1, error), null);
});

test('linear never shrinks and never passes max', (t) => {
  fc.assert(
    fc.property(attempts, wait, wait, wait, (attempt, initial, step, max) => {
      const policy = linear({ maxAttempts: 10_000, initial, step, max });
      const [now, then] = [policy(attempt, error), policy(attempt + 1, error)];
      return now !== null && then !== null && now <= then && then <= max;
    }),
  );
  t.pass();
});

test('perError takes the policy of the first class that fits', (t) => {
  const policy = perError(
    [
      [RangeError, never],
      [TypeError, fixed({ maxAttempts: 5, delay: 1 })],
      [Error, fixed({ maxAttempts: 5, delay: 2 })],
    ],
    fixed({ maxAttempts: 5, delay: 3 }),
  );
  t.is(policy(1, new RangeError()), null);
  t.is(policy(1, new TypeError()), 1);
  t.is(policy(1, new SyntaxError()), 2);
  t.is(policy(1, 'no error at all'), 3);
});

const wrong: ReadonlyArray<readonly [what: string, make: () => unknown]> = [
  ['a negative delay', () => fixed({ maxAttempts: 3, delay: -1 })],
  ['NaN attempts', () => exponential({ maxAttempts: Number.NaN })],
  ['text for a number', () => exponential({ initial: '1s' as never })],
  ['a missing step', () => linear({ maxAttempts: 3, initial: 1, step: undefined as never, max: 1 })],
  ['a factor below 0', () => backoff({ factor: -2 })],
];

for (const [what, make] of wrong) {
  test(`a policy with ${what} is refused when it is made`, (t) => {
    const refused = t.throws(make, { code: 'ERR_INVALID_OPTION' });
    t.regex(refused.message, /^retry \w+: expected a number, 0 or more, got /);
  });
}

test('a negative wait is over already, and an explicit delay wins over the policy', (t) => {
  t.is(
    waitAfter(() => -5, 1, { error }),
    0,
  );
  t.is(
    waitAfter(() => 1_000, 1, { error, delay: 7 }),
    7,
  );
  t.is(waitAfter(never, 1, { error, delay: 7 }), null, 'past the last attempt a delay changes nothing');
});

for (const odd of [Number.NaN, Infinity, undefined, '10', {}, Promise.resolve(5)]) {
  test(`a policy that answers ${inspect(odd)} is an error that says so`, (t) => {
    const policy = (() => odd) as unknown as RetryPolicy;
    t.throws(() => waitAfter(policy, 1, { error }), { code: 'ERR_INVALID_OPTION' });
  });
}
