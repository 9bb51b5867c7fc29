import { inspect } from 'node:util';
import test from 'ava';
import * as fc from 'fast-check';
import { milliseconds } from '../src/duration.js';

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

for (const [text, ms] of [
  ['250ms', 250],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['0s', 0],
  ['1.5s', 1_500],
  ['1m1ms', 60_001],
] as const) {
  test(`'${text}' is ${ms} milliseconds`, (t) => t.is(milliseconds(text), ms));
}

test('a number is milliseconds already', (t) => {
  t.is(milliseconds(0), 0);
  t.is(milliseconds(1_500), 1_500);
});

test('any sum of units is read back', (t) => {
  const parts = fc.array(fc.tuple(fc.nat({ max: 10_000 }), fc.constantFrom('d', 'h', 'm', 's', 'ms')), { minLength: 1 });
  fc.assert(
    fc.property(parts, (given) => {
      const text = given.map(([amount, unit]) => `${amount}${unit}`).join('');
      const sum = given.reduce((total, [amount, unit]) => total + amount * UNITS[unit], 0);
      return milliseconds(text) === sum;
    }),
  );
  t.pass();
});

for (const bad of [
  '',
  '10',
  '10 m',
  'm',
  '1x',
  '-1s',
  '1h-2m',
  '1e3s',
  ' 1s',
  '1.s',
  '.5s',
  -1,
  NaN,
  Infinity,
  null,
  undefined,
  {},
  true,
]) {
  test(`${inspect(bad)} is no duration`, (t) => {
    const error = t.throws(() => milliseconds(bad as never, 'delay'), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith('delay: expected milliseconds'), error.message);
  });
}

test('digits that overflow to infinity are refused, and the message stays short', (t) => {
  const error = t.throws(() => milliseconds(`${'9'.repeat(400)}d`), { code: 'ERR_INVALID_OPTION' });
  t.true(error.message.length < 500);
});
