import test from 'ava';
import { requireOptions, requireWhole } from '../src/checks.js';

test('a whole number within its bounds passes, anything else is told the bounds', (t) => {
  for (const good of [0, 5, 10]) t.notThrows(() => requireWhole('x', good, { min: 0, max: 10 }));
  for (const bad of [-1, 11, 1.5, NaN, Infinity, '5', null, undefined, 5n]) {
    const error = t.throws(() => requireWhole('x', bad, { min: 0, max: 10 }), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith('x: expected a whole number from 0 to 10, got '), error.message);
  }
});

test('options are an object of known names', (t) => {
  for (const good of [{}, { a: 1 }, { a: undefined, b: 2 }]) t.notThrows(() => requireOptions(good, 'thing', ['a', 'b']));
  for (const bad of [null, undefined, 5, [], 'redis://user:s3cret@host', () => {}]) {
    const error = t.throws(() => requireOptions(bad, 'thing', ['a', 'b']), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith('thing: expected an object with some of a, b, got '), error.message);
    t.false(error.message.includes('s3cret'), error.message);
  }
  const unknown = t.throws(() => requireOptions({ a: 1, c: 3 }, 'thing', ['a', 'b']), { code: 'ERR_UNKNOWN_OPTION' });
  t.is(unknown.message, 'Unknown option "c" in thing. Known here: a, b.');
});
