import test from 'ava';
import { deadLetterQueue, queueOf, Topology } from '../src/topology.js';
import type { QueueOptions } from '../src/topology.js';

const safe = {
  'x-queue-type': 'quorum',
  'x-delivery-limit': 20,
  'x-dead-letter-exchange': '',
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
};

test('a name is a durable quorum queue whose dead letters go to <name>.dead', (t) => {
  t.deepEqual(queueOf('mail'), {
    name: 'mail',
    declare: true,
    durable: true,
    autoDelete: false,
    exclusive: false,
    deadLetter: { exchange: '', routingKey: 'mail.dead' },
    arguments: { ...safe, 'x-dead-letter-routing-key': 'mail.dead' },
  });
  t.deepEqual(queueOf({ name: 'mail' }), queueOf('mail'));
});

const table: ReadonlyArray<readonly [title: string, options: Omit<QueueOptions, 'name'>, type: string, deadLetter: unknown]> = [
  ['a classic queue that is asked for', { type: 'classic' }, 'classic', { exchange: '', routingKey: 'q.dead' }],
  ['a queue that is not durable', { durable: false }, 'classic', { exchange: '', routingKey: 'q.dead' }],
  ['an exclusive queue', { exclusive: true }, 'classic', undefined],
  ['an auto-delete queue', { autoDelete: true }, 'classic', undefined],
  [
    'a temporary queue with dead letters',
    { autoDelete: true, deadLetter: true },
    'classic',
    { exchange: '', routingKey: 'q.dead' },
  ],
  ['an undeclared queue', { declare: false }, 'quorum', undefined],
  [
    'an undeclared queue with dead letters',
    { declare: false, deadLetter: true },
    'quorum',
    { exchange: '', routingKey: 'q.dead' },
  ],
  ['a queue without dead letters', { deadLetter: false }, 'quorum', undefined],
  ['dead letters to an exchange', { deadLetter: { exchange: 'dlx' } }, 'quorum', { exchange: 'dlx', routingKey: 'q.dead' }],
  ['dead letters to a queue by name', { deadLetter: { routingKey: 'graves' } }, 'quorum', { exchange: '', routingKey: 'graves' }],
];

for (const [title, options, type, deadLetter] of table) {
  test(`${title} is ${type}, with dead letters to ${JSON.stringify(deadLetter) ?? 'nowhere'}`, (t) => {
    const queue = queueOf({ name: 'q', ...options });
    t.is(queue.arguments['x-queue-type'], type);
    t.deepEqual(queue.deadLetter as unknown, deadLetter);
    t.is('x-dead-letter-exchange' in queue.arguments, deadLetter !== undefined);
    t.is(
      'x-delivery-limit' in queue.arguments,
      type === 'quorum',
      'a classic queue with a delivery limit is refused by the broker',
    );
    t.is('x-dead-letter-strategy' in queue.arguments, type === 'quorum' && deadLetter !== undefined);
  });
}

test("the user's arguments win", (t) => {
  const queue = queueOf({ name: 'q', arguments: { 'x-delivery-limit': 3, 'x-max-length': 10 } });
  t.is(queue.arguments['x-delivery-limit'], 3);
  t.is(queue.arguments['x-max-length'], 10);
});

test('a dead-letter queue keeps its messages however often they are looked at', (t) => {
  const { deadLetter, arguments: args } = deadLetterQueue('mail.dead');
  t.is(deadLetter, undefined);
  t.true((args['x-delivery-limit'] as number) >= 1_000_000_000);
});

for (const options of [{ durable: false }, { exclusive: true }, { autoDelete: true }]) {
  test(`a quorum queue with ${JSON.stringify(options)} is refused before the broker refuses it`, (t) => {
    t.throws(() => queueOf({ name: 'q', type: 'quorum', ...options }), { code: 'ERR_INVALID_OPTION' });
  });
}

for (const name of ['', 'x'.repeat(256), '队'.repeat(86), 5, undefined]) {
  test(`${String(name).slice(0, 10)} (${typeof name}) is no name for a queue or an exchange`, (t) => {
    t.throws(() => queueOf({ name: name as string }), { code: 'ERR_INVALID_OPTION' });
    t.throws(() => queueOf(name as string), { code: 'ERR_INVALID_OPTION' });
    t.throws(() => new Topology().exchange(name as string, 'topic'), { code: 'ERR_INVALID_OPTION' });
  });
}

test('the same part twice is one part', (t) => {
  const topology = new Topology()
    .exchange('events', 'topic')
    .exchange('events', 'topic', { durable: true })
    .queue(queueOf('q'))
    .queue(queueOf('q'))
    .bindQueue('q', 'events', 'a.*')
    .bindQueue('q', 'events', 'a.*')
    .bindQueue('q', 'events', 'b.*')
    .bindExchange('q', 'events', 'a.*');
  t.deepEqual([topology.exchanges.size, topology.queues.size, topology.bindings.size], [1, 1, 3]);
});

test('one name defined in two ways is a conflict that shows both', (t) => {
  const topology = new Topology().exchange('events', 'topic').queue(queueOf('q'));
  const exchange = t.throws(() => topology.exchange('events', 'fanout'), { code: 'ERR_TOPOLOGY_CONFLICT' });
  t.true(exchange.message.includes('topic') && exchange.message.includes('fanout'), exchange.message);
  t.throws(() => topology.exchange('events', 'topic', { durable: false }), { code: 'ERR_TOPOLOGY_CONFLICT' });
  t.throws(() => topology.queue(queueOf({ name: 'q', deadLetter: false })), { code: 'ERR_TOPOLOGY_CONFLICT' });
});

test('a bound queue brings its dead-letter queue and its exchanges', (t) => {
  const topology = new Topology().boundQueue(queueOf('q'), [
    { exchange: 'events', type: 'topic', pattern: 'a.#', exchangeArguments: { 'alternate-exchange': 'lost' } },
    { exchange: 'amq.headers', arguments: { 'x-match': 'all', kind: 'a' } },
  ]);
  t.deepEqual([...topology.queues.keys()].toSorted(), ['q', 'q.dead']);
  t.deepEqual([...topology.exchanges.keys()], ['events'], 'an exchange without a type is not declared');
  t.deepEqual(topology.exchanges.get('events')?.arguments, { 'alternate-exchange': 'lost' });
  t.deepEqual(
    [...topology.bindings.values()],
    [
      { source: 'events', destination: 'q', destinationType: 'queue', pattern: 'a.#', arguments: {} },
      {
        source: 'amq.headers',
        destination: 'q',
        destinationType: 'queue',
        pattern: '',
        arguments: { 'x-match': 'all', kind: 'a' },
      },
    ],
  );
});

test('an undeclared queue is bound, not declared; an exchange for dead letters is not ours to declare', (t) => {
  const topology = new Topology()
    .boundQueue(queueOf({ name: 'theirs', declare: false }), [{ exchange: 'events' }])
    .boundQueue(queueOf({ name: 'q', deadLetter: { exchange: 'dlx' } }), []);
  t.deepEqual([...topology.queues.keys()], ['q']);
  t.is(topology.bindings.size, 1);
  t.is(topology.exchanges.size, 0);
});
