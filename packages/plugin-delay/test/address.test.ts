import test from 'ava';
import * as fc from 'fast-check';
import { addressOf, patternOf, requireTarget } from '../src/address.js';
import type { Target } from '../src/address.js';
import { digitsOf, MAX_DELAY } from '../src/levels.js';

const names = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', 'é', '~', '#', '*'), minLength: 1, maxLength: 40 });
const targets: fc.Arbitrary<Target> = fc.record({ kind: fc.constantFrom('queue' as const, 'exchange' as const), name: names });
const delays = fc.integer({ min: 0, max: MAX_DELAY });

/** What a topic exchange does: `*` is one word, `#` any number of them. */
function matches(pattern: readonly string[], key: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return key.length === 0;
  if (first === '#') return matches(rest, key) || (key.length > 0 && matches(pattern, key.slice(1)));
  return key.length > 0 && (first === '*' || first === key[0]) && matches(rest, key.slice(1));
}

function routes(pattern: string, key: string): boolean {
  return matches(pattern.split('.'), key.split('.'));
}

function acceptable(target: Target): boolean {
  try {
    requireTarget(target);
    return true;
  } catch {
    return false;
  }
}

test('an address names its digits and its target', (t) => {
  t.is(addressOf(digitsOf(1_234), { kind: 'queue', name: 'jobs' }), '~d.0.0.0.0.0.0.0.1.2.3.4.q.jobs');
  t.is(addressOf(digitsOf(1_234), { kind: 'exchange', name: 'shop.orders' }), '~d.0.0.0.0.0.0.0.1.2.3.4.x.~shop.~orders');
});

test('an address finds its own target, and no other', (t) => {
  fc.assert(
    fc.property(targets, targets, delays, (one, other, ms) => {
      fc.pre(acceptable(one) && acceptable(other));
      const address = addressOf(digitsOf(ms), one);
      const same = one.kind === other.kind && one.name === other.name;
      return routes(patternOf(one), address) && routes(patternOf(other), address) === same;
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});

test('what is accepted fits into a routing key, whatever the delay', (t) => {
  const lengths = fc.integer({ min: 200, max: 255 });
  fc.assert(
    fc.property(lengths, delays, fc.constantFrom('a', 'é'), (length, ms, letter) => {
      const target: Target = { kind: 'queue', name: letter.repeat(length) };
      return !acceptable(target) || Buffer.byteLength(addressOf(digitsOf(ms), target)) <= 255;
    }),
  );
  const longest = addressOf(digitsOf(MAX_DELAY), { kind: 'queue', name: 'a'.repeat(227) });
  t.is(Buffer.byteLength(longest), 255);
  t.notThrows(() => requireTarget({ kind: 'queue', name: 'a'.repeat(227) }));
});

test('a name that is too long or would match others is refused', (t) => {
  t.throws(() => requireTarget({ kind: 'queue', name: 'a'.repeat(228) }), {
    code: 'ERR_DELAY_TARGET',
    message: /227 bytes or less/,
  });
  t.throws(() => requireTarget({ kind: 'exchange', name: 'é'.repeat(114) }), { code: 'ERR_DELAY_TARGET' });
  t.throws(() => requireTarget({ kind: 'queue', name: 'jobs.#' }), { code: 'ERR_DELAY_TARGET' });
  t.throws(() => requireTarget({ kind: 'queue', name: '*.jobs' }), { code: 'ERR_DELAY_TARGET' });
  t.throws(() => requireTarget({ kind: 'queue', name: '~d.jobs' }), { code: 'ERR_DELAY_TARGET' });
  t.notThrows(() => requireTarget({ kind: 'queue', name: '~delayed' }));
  t.notThrows(() => requireTarget({ kind: 'queue', name: 'jobs#1' }));
  t.notThrows(() => requireTarget({ kind: 'exchange', name: 'jobs.#' }));
});

test("the address for an exchange matches none of an application's patterns that name a word", (t) => {
  const address = addressOf(digitsOf(12_345), { kind: 'exchange', name: 'shop.orders' });
  for (const pattern of [
    '#.orders',
    '#.orders.#',
    'orders.#',
    '*.orders',
    'shop.#',
    '#.shop.orders',
    '#.shop.#',
    'order.*.created',
  ]) {
    t.false(routes(pattern, address), pattern);
  }
});
