import test from 'ava';
import { limitOf } from '../src/limit.js';

test('an object and text say the same limit', (t) => {
  t.deepEqual(limitOf({ max: 10 }, 'rateLimit'), { max: 10, per: 1_000 });
  t.deepEqual(limitOf({ max: 10, per: '1m' }, 'rateLimit'), { max: 10, per: 60_000 });
  t.deepEqual(limitOf('10/s', 'rateLimit'), { max: 10, per: 1_000 });
  t.deepEqual(limitOf('200/m', 'rateLimit'), { max: 200, per: 60_000 });
  t.deepEqual(limitOf('5/2m', 'rateLimit'), { max: 5, per: 120_000 });
  t.deepEqual(limitOf('1/250ms', 'rateLimit'), { max: 1, per: 250 });
  t.deepEqual(limitOf({ max: Infinity }, 'rateLimit'), { max: Infinity, per: 1_000 });
});

for (const wrong of ['', '10', '10/', '/s', '0/s', '10/0s', '10/week', '1.5/s', '-1/s', '10/s/s']) {
  test(`"${wrong}" is refused, and the error says what would do`, (t) => {
    const error = t.throws(() => limitOf(wrong, 'rateLimit'), { code: 'ERR_INVALID_OPTION' });
    t.regex(error.message, /^rateLimit: expected .*'200\/m'.*, got '/);
  });
}

for (const [what, wrong] of Object.entries({
  'no max': {},
  'a max of 0': { max: 0 },
  'a fraction': { max: 1.5 },
  'a window of 0': { max: 1, per: 0 },
  'a negative window': { max: 1, per: -1 },
  'an endless window': { max: 1, per: Infinity },
  'a window in words': { max: 1, per: 'soon' },
  'a key that is no function': { max: 1, key: 'tenant' },
  null: null,
  'a number': 10,
})) {
  test(`${what} is refused`, (t) => {
    t.throws(() => limitOf(wrong as never, 'rateLimit'), {
      code: 'ERR_INVALID_OPTION',
      message: /^rateLimit.*: expected .*, got /,
    });
  });
}

test('an option that there is not is refused', (t) => {
  t.throws(() => limitOf({ max: 1, duration: 1_000 } as never, 'rateLimit'), { code: 'ERR_UNKNOWN_OPTION' });
});
