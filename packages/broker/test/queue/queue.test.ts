import test from 'ava';
import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { longstr } from '../../src/amqp/fields.js';
import { encodeProperties, inspectProperties, type Properties } from '../../src/amqp/properties.js';
import { VirtualClock } from '../../src/clock.js';
import { BEHAVIOURS } from '../../src/compat.js';
import { Memory } from '../../src/memory.js';
import { DeadLetters } from '../../src/queue/dead-letters.js';
import { Message } from '../../src/queue/message.js';
import { readQueueArguments } from '../../src/queue/queue-arguments.js';
import { Queue } from '../../src/queue/queue.js';
import type { QueuedMessage } from '../../src/queue/ready-list.js';
import type { Surroundings } from '../../src/surroundings.js';

const int = (value: number): Field => ({ type: 'I', value });

/** Queues on a clock that is moved by hand, without a broker around them. */
class Workbench {
  readonly clock = new VirtualClock();
  readonly memory = new Memory(Infinity, () => {});
  readonly #queues = new Map<string, Queue>();
  readonly #around: Surroundings;

  constructor() {
    const names = { queue: (name: string) => this.#queues.get(name), exchange: () => undefined };
    const { clock, memory } = this;
    const deadLetters: DeadLetters = new DeadLetters(
      () => names,
      () => this.#around,
    );
    this.#around = { clock, memory, deadLetters, behaviour: BEHAVIOURS['3.x'], store: undefined };
  }

  queue(name: string, entries: Record<string, Field> = {}): Queue {
    const args: FieldTable = new Map(Object.entries(entries));
    const settings = readQueueArguments(args, name, BEHAVIOURS['3.x']);
    const common = { durable: false, autoDelete: false, owner: undefined, arguments: args, settings };
    const queue = new Queue({ id: this.#queues.size, vhost: '/', name, ...common }, this.#around);
    this.#queues.set(name, queue);
    return queue;
  }
}

function message(body: string, properties: Properties = {}): Message {
  const octets = encodeProperties(properties);
  const content = { content: Buffer.concat([octets, Buffer.from(body)]), bodyStart: octets.length };
  return new Message({ exchange: '', routingKey: 'k' }, content, inspectProperties(octets));
}

const bodyOf = ({ message: { content, bodyStart } }: QueuedMessage): string => content.toString('utf8', bodyStart);
const bodies = (queue: Queue): string => [...queue.ready].map(bodyOf).join(' ');
const to = (name: string): Record<string, Field> => ({
  'x-dead-letter-exchange': longstr(''),
  'x-dead-letter-routing-key': longstr(name),
});
const dies = to('dead');

test('The shorter of the times of queue and message decides.', (t) => {
  const bench = new Workbench();
  const queue = bench.queue('q', { 'x-message-ttl': int(100) });
  queue.publish(message('short', { expiration: '50' }));
  queue.publish(message('long', { expiration: '5000' }));
  queue.publish(message('none'));
  bench.clock.advance(49);
  t.is(bodies(queue), 'short long none');
  bench.clock.advance(1);
  t.is(bodies(queue), 'long none');
  bench.clock.advance(50);
  t.is(bodies(queue), '');
});

test('A message waits behind one that lives longer, and expires when it comes to the head.', (t) => {
  const bench = new Workbench();
  const [queue, dead] = [bench.queue('q', dies), bench.queue('dead')];
  queue.publish(message('long', { expiration: '1000' }));
  queue.publish(message('short', { expiration: '10' }));
  bench.clock.advance(999);
  t.is(bodies(queue), 'long short');
  bench.clock.advance(1);
  t.is(bodies(dead), 'long short');
});

test('A message that is taken from the head lets an expired one behind it go.', (t) => {
  const bench = new Workbench();
  const [queue, dead] = [bench.queue('q', dies), bench.queue('dead')];
  queue.publish(message('stays'));
  queue.publish(message('gone', { expiration: '10' }));
  bench.clock.advance(20);
  t.is(bodies(queue), 'stays gone');
  queue.take();
  t.is(bodies(queue), '');
  t.is(bodies(dead), 'gone');
});

test('An unacknowledged message does not expire, but does when it comes back.', (t) => {
  const bench = new Workbench();
  const [queue, dead] = [bench.queue('q', dies), bench.queue('dead')];
  queue.publish(message('out', { expiration: '10' }));
  const taken = queue.take() as QueuedMessage;
  bench.clock.advance(100);
  t.is(queue.unacked.size, 1);
  queue.requeue(taken, { counts: true });
  queue.settled();
  t.is(bodies(dead), 'out');
});

test('A full queue drops its head, whatever comes back to it.', (t) => {
  const queue = new Workbench().queue('q', { 'x-max-length': int(2) });
  for (const body of ['1', '2', '3']) queue.publish(message(body));
  t.is(bodies(queue), '2 3');
  const taken = queue.take() as QueuedMessage;
  queue.publish(message('4'));
  queue.requeue(taken, { counts: true });
  queue.settled();
  t.is(bodies(queue), '3 4');
});

test('A queue full of octets drops as many as it takes.', (t) => {
  const queue = new Workbench().queue('q', { 'x-max-length-bytes': int(10) });
  for (const body of ['aaaa', 'bbbb', 'cccccccc']) queue.publish(message(body));
  t.is(bodies(queue), 'cccccccc');
  queue.publish(message('far too long'));
  t.is(bodies(queue), '');
});

test('A queue that refuses has no room for more, until something is taken.', (t) => {
  const queue = new Workbench().queue('q', { 'x-max-length': int(1), 'x-overflow': longstr('reject-publish') });
  t.true(queue.accepts(message('1')));
  queue.publish(message('1'));
  t.false(queue.accepts(message('2')));
  queue.take();
  t.true(queue.accepts(message('2')));
});

test('Priorities come first, each in order, and a requeued message goes back to its place.', (t) => {
  const queue = new Workbench().queue('q', { 'x-max-priority': int(2) });
  for (const priority of [0, 2, 1, 2, 0, 9]) queue.publish(message(`${priority}`, { priority }));
  t.is(bodies(queue), '2 2 9 1 0 0');
  const [first, second] = [queue.take() as QueuedMessage, queue.take() as QueuedMessage];
  queue.requeue(second, { counts: true });
  queue.requeue(first, { counts: true });
  t.is(bodies(queue), '2 2 9 1 0 0');
  t.true(queue.take()?.redelivered);
});

test('Two full queues that are each other’s dead-letter target do not go on for ever.', (t) => {
  const bench = new Workbench();
  const [a, b] = [
    bench.queue('a', { ...to('b'), 'x-max-length': int(1) }),
    bench.queue('b', { ...to('a'), 'x-max-length': int(1) }),
  ];
  for (let i = 0; i < 10; i++) a.publish(message(String(i)));
  t.is(a.ready.size + b.ready.size, 2);
});

test('A dead letter that promises to arrive waits until its target takes it.', (t) => {
  const bench = new Workbench();
  const source = {
    ...dies,
    'x-queue-type': longstr('quorum'),
    'x-overflow': longstr('reject-publish'),
    'x-dead-letter-strategy': longstr('at-least-once'),
  };
  const queue = bench.queue('q', source);
  const dead = bench.queue('dead', { 'x-max-length': int(1), 'x-overflow': longstr('reject-publish') });
  for (const body of ['1', '2']) queue.publish(message(body, { expiration: '10' }));
  bench.clock.advance(10);
  t.is(bodies(dead), '1');
  bench.clock.advance(5000);
  t.is(bodies(dead), '1');
  dead.take();
  bench.clock.advance(1000);
  t.is(bodies(dead), '2');
});

test('Memory is given back when the last queue lets a message go.', (t) => {
  const bench = new Workbench();
  const [a, b] = [bench.queue('a'), bench.queue('b')];
  const shared = message('shared');
  a.publish(shared);
  const { used } = bench.memory;
  b.publish(shared);
  t.is(bench.memory.used, used);
  a.purge();
  t.is(bench.memory.used, used);
  b.settle(b.take() as QueuedMessage);
  t.is(bench.memory.used, 0);
});
