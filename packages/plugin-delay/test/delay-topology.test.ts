import test from 'ava';
import { Topology } from '@warren/core';
import { bindTarget, declareDelays, delayTopology, UNROUTABLE } from '../src/delay-topology.js';
import { settingsOf } from '../src/options.js';

const QUORUM = settingsOf();
const CLASSIC = settingsOf({ queueType: 'classic' });

function declared(options = QUORUM): Topology {
  const topology = new Topology();
  declareDelays(topology, options);
  return topology;
}

function bindings({ bindings }: Topology): string[] {
  return [...bindings.values()].map(({ source, destination, pattern }) => `${source} ${pattern} ${destination}`);
}

test('there are 11 levels and the delivering exchange, and each has an alternate exchange', (t) => {
  const { exchanges } = declared();
  const topics = [...exchanges.values()].filter(({ type }) => type === 'topic');
  t.is(topics.length, 12);
  for (const { name, durable, arguments: args } of topics) {
    t.true(durable, name);
    t.deepEqual(args, { 'alternate-exchange': UNROUTABLE }, name);
  }
  t.is(exchanges.get(UNROUTABLE)?.type, 'fanout');
});

test('there are 105 queues, each with one constant TTL: its digit times its unit, and one millisecond', (t) => {
  const { queues } = declared();
  t.is(queues.size, 106);
  t.deepEqual(queues.get('delay.v1.L07.5')?.arguments, {
    'x-queue-type': 'quorum',
    'x-message-ttl': 5_001,
    'x-dead-letter-exchange': 'delay.v1.L08',
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
  t.is(queues.get('delay.v1.L10.1')?.arguments['x-message-ttl'], 2);
  t.is(queues.get('delay.v1.L10.1')?.arguments['x-dead-letter-exchange'], 'delay.v1.deliver');
  t.is(queues.get('delay.v1.L00.9')?.arguments['x-message-ttl'], 77_760_000_001);
});

test('a digit leads into its queue, and 0 past the level', (t) => {
  const all = bindings(declared());
  t.is(all.length, 105 + 11 + 1);
  t.true(all.includes('delay.v1.L00 ~d.9.# delay.v1.L00.9'));
  t.true(all.includes('delay.v1.L02 ~d.*.*.7.# delay.v1.L02.7'));
  t.true(all.includes('delay.v1.L02 ~d.*.*.0.# delay.v1.L03'));
  t.true(all.includes('delay.v1.L10 ~d.*.*.*.*.*.*.*.*.*.*.0.# delay.v1.deliver'));
});

test('a queue is a target by its own binding, an exchange by a queue of its own in between', (t) => {
  const topology = new Topology();
  bindTarget(topology, { kind: 'queue', name: 'jobs' }, QUORUM);
  bindTarget(topology, { kind: 'exchange', name: 'shop.orders' }, QUORUM);
  t.deepEqual(bindings(topology), [
    'delay.v1.deliver ~d.*.*.*.*.*.*.*.*.*.*.*.q.jobs jobs',
    'delay.v1.deliver ~d.*.*.*.*.*.*.*.*.*.*.*.x.~shop.~orders delay.v1.x.shop.orders',
  ]);
  t.deepEqual(topology.queues.get('delay.v1.x.shop.orders')?.arguments, {
    'x-queue-type': 'quorum',
    'x-message-ttl': 0,
    'x-dead-letter-exchange': 'shop.orders',
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
});

test('what could not be delivered is kept without a limit on how often it is looked at', (t) => {
  t.deepEqual(declared().queues.get(UNROUTABLE)?.arguments, { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 });
});

test('classic queues have no arguments that only quorum queues know', (t) => {
  const { queues } = declared(CLASSIC);
  t.deepEqual(queues.get('delay.v1.L10.9')?.arguments, {
    'x-queue-type': 'classic',
    'x-message-ttl': 10,
    'x-dead-letter-exchange': 'delay.v1.deliver',
  });
  t.deepEqual(queues.get(UNROUTABLE)?.arguments, { 'x-queue-type': 'classic' });
});

test('the names that are exported are the names that are declared', (t) => {
  const options = settingsOf({ prefix: 'mine' });
  const names = delayTopology(options);
  const { exchanges, queues } = declared(options);
  t.deepEqual([...exchanges.keys()].toSorted(), [...names.levels, names.deliver, names.unroutable].toSorted());
  t.deepEqual([...queues.keys()].toSorted(), [...names.queues.map(({ queue }) => queue), names.unroutable].toSorted());
  t.is(delayTopology().unroutable, UNROUTABLE);
  t.is(names.unroutable, 'mine.v1.unroutable');
});

test('every prefix that is accepted leaves room for the longest target', (t) => {
  const topology = new Topology();
  bindTarget(topology, { kind: 'exchange', name: 'a'.repeat(226) }, settingsOf({ prefix: 'p'.repeat(20) }));
  t.true([...topology.queues.keys()].every((name) => Buffer.byteLength(name) <= 255));
});
