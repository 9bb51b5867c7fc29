import test from 'ava';
import * as fc from 'fast-check';
import type { Binding, Destination } from '../../src/routing/binding.js';
import { TopicIndex } from '../../src/routing/topic.js';

function binding(routingKey: string): Binding {
  const destination: Destination = { kind: 'queue', name: routingKey, durable: false, incoming: new Set() };
  return { source: undefined as never, destination, routingKey, arguments: new Map() };
}

function matches(index: TopicIndex, routingKey: string): string[] {
  const found = new Set<string>();
  index.match({ routingKey, headers: () => new Map() }, ({ name }) => found.add(name));
  return [...found].toSorted((a, b) => (a < b ? -1 : 1));
}

/** The rule as the specification states it, word by word. */
function follows([head, ...pattern]: readonly string[], key: readonly string[]): boolean {
  if (head === undefined) return key.length === 0;
  if (head === '#') return follows(pattern, key) || (key.length > 0 && follows([head, ...pattern], key.slice(1)));
  return key.length > 0 && (head === '*' || head === key[0]) && follows(pattern, key.slice(1));
}

const words = (text: string): string[] => (text === '' ? [] : text.split('.'));
const pattern = fc.array(fc.constantFrom('a', 'b', '*', '#', ''), { maxLength: 6 }).map((parts) => parts.join('.'));
const key = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 6 }).map((parts) => parts.join('.'));

test('A set of patterns matches what each of them matches by the specification.', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(pattern, { maxLength: 12 }), key, (patterns, key) => {
      const index = new TopicIndex();
      for (const one of patterns) index.add(binding(one));
      const expected = patterns.filter((one) => follows(words(one), words(key))).toSorted((a, b) => (a < b ? -1 : 1));
      t.deepEqual(matches(index, key), expected);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('A pattern that was removed matches no more, and the others still do.', (t) => {
  const index = new TopicIndex();
  const [first, second] = [binding('a.#'), binding('a.*.b')];
  index.add(first);
  index.add(second);
  t.deepEqual(matches(index, 'a.x.b'), ['a.#', 'a.*.b']);
  index.remove(first);
  t.deepEqual(matches(index, 'a.x.b'), ['a.*.b']);
  index.remove(second);
  t.deepEqual(matches(index, 'a.x.b'), []);
});

test('A pattern full of # takes no longer than any other.', (t) => {
  const index = new TopicIndex();
  index.add(binding(Array.from({ length: 60 }, () => '#.a').join('.')));
  t.deepEqual(matches(index, Array.from({ length: 120 }, () => 'a').join('.')).length, 1);
});
