import test from 'ava';
import * as fc from 'fast-check';
import { delayOf } from '../src/due.js';
import { MAX_DELAY } from '../src/levels.js';

const NOW = Date.UTC(2030, 0, 1);

test('a delay is milliseconds or text, rounded up to whole milliseconds', (t) => {
  t.is(delayOf({ delay: 250 }, NOW), 250);
  t.is(delayOf({ delay: 0.2 }, NOW), 1);
  t.is(delayOf({ delay: '10m' }, NOW), 600_000);
  t.is(delayOf({ delay: '1h30m' }, NOW), 5_400_000);
  t.is(delayOf({ delay: '1.1s' }, NOW), 1_100);
  t.is(delayOf({ delay: 0 }, NOW), 0);
  t.is(delayOf({}, NOW), 0);
});

test('a moment is a delay from now, and one in the past is now', (t) => {
  t.is(delayOf({ at: new Date(NOW + 5_000) }, NOW), 5_000);
  t.is(delayOf({ at: new Date(NOW) }, NOW), 0);
  t.is(delayOf({ at: new Date(NOW - 1) }, NOW), 0);
  t.is(delayOf({ at: new Date(0) }, NOW), 0);
});

test('rounding never makes a wait shorter than asked for by more than a microsecond', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (delay) => {
      const ms = delayOf({ delay }, NOW);
      return Number.isInteger(ms) && ms >= delay - 0.001 && ms < delay + 1;
    }),
  );
  t.pass();
});

test('the longest delay is taken, one millisecond more is not', (t) => {
  t.is(delayOf({ delay: MAX_DELAY }, NOW), MAX_DELAY);
  t.throws(() => delayOf({ delay: MAX_DELAY + 1 }, NOW), { code: 'ERR_DELAY_TOO_LONG', message: /at most 86399999999 ms/ });
  t.throws(() => delayOf({ delay: '1000d' }, NOW), { code: 'ERR_DELAY_TOO_LONG' });
  t.throws(() => delayOf({ at: new Date(NOW + MAX_DELAY + 1) }, NOW), { code: 'ERR_DELAY_TOO_LONG' });
});

test('what is neither a delay nor a moment is refused', (t) => {
  for (const delay of [-1, NaN, Infinity, -Infinity, 'soon', '', '5 parsecs', null, {}, true] as number[]) {
    t.throws(() => delayOf({ delay }, NOW), { code: 'ERR_INVALID_OPTION', message: /^delay: expected/ });
  }
  for (const at of [new Date(NaN), NOW, '2030-01-01', null, {}] as Date[]) {
    t.throws(() => delayOf({ at }, NOW), { code: 'ERR_INVALID_OPTION', message: /^at: expected/ });
  }
  t.throws(() => delayOf({ delay: 1, at: new Date(NOW) }, NOW), { code: 'ERR_DELAY_AMBIGUOUS' });
});
