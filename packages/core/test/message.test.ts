import test from 'ava';
import * as fc from 'fast-check';
import { HEADERS, producerHeaders, withoutJourney } from '../src/message.js';

const journey = {
  'x-death': [{ queue: 'q' }],
  'x-first-death-queue': 'q',
  'x-first-death-reason': 'expired',
  'x-last-death-exchange': '',
  'x-delivery-count': 3,
  'x-acquired-count': 4,
  CC: ['a'],
  BCC: ['b'],
};
const ours = Object.fromEntries(Object.values(HEADERS).map((name) => [name, 'ours']));

test('a copy keeps the producer’s headers and ours, without what brokers wrote on the way', (t) => {
  t.deepEqual(withoutJourney({ tenant: 'acme', 'x-deaths': 1, ...ours, ...journey }), { tenant: 'acme', 'x-deaths': 1, ...ours });
  t.deepEqual(withoutJourney(undefined), {});
});

test('a handler sees the producer’s headers alone', (t) => {
  t.deepEqual(producerHeaders({ tenant: 'acme', 'x-priority': 1, ...ours, ...journey }), { tenant: 'acme', 'x-priority': 1 });
  t.deepEqual(producerHeaders(undefined), {});
});

test('whatever else a producer sends stays as it is', (t) => {
  const reserved = new Set([...Object.keys(journey), ...Object.keys(ours)]);
  const own = fc.dictionary(
    fc.string().filter((name) => !reserved.has(name) && !/^x-(?:first|last)-death-/.test(name)),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(own, (headers) => {
      t.deepEqual(producerHeaders({ ...headers, ...ours, ...journey }), { ...headers });
    }),
  );
});
