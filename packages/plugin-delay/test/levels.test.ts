import test from 'ava';
import * as fc from 'fast-check';
import { digitsOf, hopsOf, LEVELS, MAX_DELAY, withinHops } from '../src/levels.js';

const delays = fc.integer({ min: 0, max: MAX_DELAY });
const DAY = 86_400_000;

test('the longest delay is 999 days 23:59:59.999', (t) => {
  t.is(MAX_DELAY, 999 * DAY + DAY - 1);
});

test('the digits of a delay add up to it, and none is above its level', (t) => {
  fc.assert(
    fc.property(delays, (ms) => {
      const digits = digitsOf(ms);
      const sum = digits.reduce((total, digit, i) => total + digit * (LEVELS[i]?.unit ?? NaN), 0);
      return sum === ms && digits.every((digit, i) => digit >= 0 && digit <= (LEVELS[i]?.max ?? -1));
    }),
    { numRuns: 20_000 },
  );
  t.deepEqual(digitsOf(MAX_DELAY), [9, 9, 9, 23, 5, 9, 5, 9, 9, 9, 9]);
  t.deepEqual(digitsOf(0), Array(11).fill(0));
});

test('every digit of a level alone is one hop', (t) => {
  for (const [index, { unit, max }] of LEVELS.entries()) {
    for (let digit = 1; digit <= max; digit++) {
      const expected = LEVELS.map((_, i) => (i === index ? digit : 0));
      t.deepEqual(digitsOf(digit * unit), expected);
    }
  }
});

test('1 s, 5 s, 1 min, 1 h, 1 d and 7 d wait in one queue', (t) => {
  for (const ms of [1_000, 5_000, 60_000, 3_600_000, DAY, 7 * DAY]) {
    t.is(digitsOf(ms).filter((digit) => digit > 0).length, 1, `${ms} ms`);
  }
});

test('a level can count to just below the unit above it', (t) => {
  for (const [index, { unit, max }] of LEVELS.entries()) {
    const above = LEVELS[index - 1];
    if (above) t.is((max + 1) * unit, above.unit);
  }
});

test('what is left of a delay is never cut short, never longer than the delay was, and takes no more hops', (t) => {
  fc.assert(
    fc.property(delays, fc.double({ min: 0, max: 1, noNaN: true }), (ms, share) => {
      const rest = Math.floor(ms * share);
      const hops = Math.max(1, hopsOf(ms));
      const rounded = withinHops(rest, hops);
      return rounded >= rest && rounded <= ms && hopsOf(rounded) <= hops;
    }),
    { numRuns: 20_000 },
  );
  t.is(withinHops(4_998, 1), 5_000);
  t.is(withinHops(4_998, 4), 4_998);
  t.is(withinHops(0, 1), 0);
});
