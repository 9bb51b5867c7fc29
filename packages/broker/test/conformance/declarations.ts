import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { longstr } from '../../src/amqp/fields.js';
import type { MethodName } from '../../src/amqp/methods.js';
import type { Case, Session } from './_session.js';

// Declaring, redeclaring and deleting, and how each mistake is answered.

const int = (value: number): Field => ({ type: 'I', value });
const table = (entries: Record<string, Field>): FieldTable => new Map(Object.entries(entries));

/** Declares a queue twice: the second time differently. */
const redeclared =
  (first: object, second: object): Case =>
  async (session) => {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { queue: session.name('q'), ...first });
    await session.call(wire, 'queue.declare', { queue: session.name('q'), ...second });
  };

/** Declares a queue with an argument. */
const withArgument =
  (entries: Record<string, Field>, more: object = {}): Case =>
  async (session) => {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { queue: session.name('q'), exclusive: true, arguments: table(entries), ...more });
  };

/** Sends each method on a connection of its own, because most answers close something. */
async function each(session: Session, calls: ReadonlyArray<readonly [MethodName, object]>): Promise<void> {
  for (const [name, args] of calls) await session.call(await session.connect(), name, args);
}

const quorum = table({ 'x-queue-type': longstr('quorum') });

export const declarations: Readonly<Record<string, Case>> = {
  'a queue declared twice in the same way is the same queue': redeclared({ exclusive: true }, { exclusive: true }),
  'durable differs': redeclared({ durable: true, autoDelete: true }, { autoDelete: true }),
  'auto-delete differs': redeclared({ durable: true, autoDelete: true }, { durable: true }),
  'exclusive differs': redeclared({ exclusive: true }, {}),
  'an argument differs': redeclared(
    { exclusive: true, arguments: table({ 'x-message-ttl': int(1000) }) },
    { exclusive: true, arguments: table({ 'x-message-ttl': int(2000) }) },
  ),
  'an argument of another width is the same': redeclared(
    { exclusive: true, arguments: table({ 'x-message-ttl': int(1000) }) },
    { exclusive: true, arguments: table({ 'x-message-ttl': { type: 's', value: 1000 } }) },
  ),
  'an argument is missing': redeclared({ exclusive: true, arguments: table({ 'x-max-length': int(5) }) }, { exclusive: true }),
  'an argument is new': redeclared({ exclusive: true }, { exclusive: true, arguments: table({ 'x-max-priority': int(5) }) }),
  'an unknown argument does not matter': redeclared(
    { exclusive: true },
    { exclusive: true, arguments: table({ 'x-mine': int(5) }) },
  ),
  'a type that is the default is the same': redeclared(
    { exclusive: true },
    { exclusive: true, arguments: table({ 'x-queue-type': longstr('classic') }) },
  ),
  'negative time to live': withArgument({ 'x-message-ttl': int(-1) }),
  'time to live of the wrong type': withArgument({ 'x-message-ttl': longstr('1') }),
  'expires zero': withArgument({ 'x-expires': int(0) }),
  'priority too high': withArgument({ 'x-max-priority': int(256) }),
  'unknown overflow': withArgument({ 'x-overflow': longstr('nope') }),
  'dead-letter key without exchange': withArgument({ 'x-dead-letter-routing-key': longstr('k') }),
  'dead-letter exchange of the wrong type': withArgument({ 'x-dead-letter-exchange': int(1) }),
  'unknown queue type': withArgument({ 'x-queue-type': longstr('nope') }),
  'queue type of the wrong type': withArgument({ 'x-queue-type': int(1) }),
  'delivery limit on a classic queue': withArgument({ 'x-delivery-limit': int(1) }),
  'quorum queue that is not durable': withArgument({ 'x-queue-type': longstr('quorum') }, { exclusive: false }),
  'quorum queue that is exclusive': withArgument({ 'x-queue-type': longstr('quorum') }, { durable: true }),
  'quorum queue with priorities': withArgument(
    { 'x-queue-type': longstr('quorum'), 'x-max-priority': int(1) },
    { durable: true, exclusive: false },
  ),

  async 'a quorum queue is declared, and not as a classic one again'(session) {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { queue: session.name('q'), durable: true, arguments: quorum });
    await wire.call(2, 'channel.open', {});
    await session.call(wire, 'queue.declare', { queue: session.name('q'), durable: true }, 2);
    await session.call(wire, 'queue.delete', { queue: session.name('q') });
  },

  async 'names that are missing'(session) {
    await each(session, [
      ['queue.declare', { queue: session.name('q'), passive: true }],
      ['queue.purge', { queue: session.name('q') }],
      ['queue.bind', { queue: session.name('q'), exchange: 'amq.direct' }],
      ['basic.consume', { queue: session.name('q') }],
      ['basic.get', { queue: session.name('q') }],
      ['queue.purge', { queue: '' }],
      ['exchange.declare', { exchange: session.name('x'), type: 'direct', passive: true }],
      ['exchange.bind', { source: session.name('x'), destination: 'amq.direct' }],
    ]);
  },

  async 'what does no harm'(session) {
    const wire = await session.connect();
    await session.call(wire, 'queue.delete', { queue: session.name('q') });
    await session.call(wire, 'exchange.delete', { exchange: session.name('x') });
    await session.call(wire, 'queue.unbind', { queue: session.name('q'), exchange: 'amq.direct' });
    await session.call(wire, 'basic.cancel', { consumerTag: 'unknown' });
    await session.call(wire, 'exchange.declare', { exchange: 'amq.direct', type: 'direct', durable: true });
    await session.call(wire, 'queue.declare', { queue: session.name('q'), exclusive: true });
    await session.call(wire, 'queue.bind', { queue: session.name('q'), exchange: 'amq.direct', routingKey: 'k' });
    await session.call(wire, 'queue.bind', { queue: session.name('q'), exchange: 'amq.direct', routingKey: 'k' });
    await session.call(wire, 'queue.unbind', { queue: session.name('q'), exchange: 'amq.direct', routingKey: 'other' });
  },

  async 'reserved names and the default exchange'(session) {
    await each(session, [
      ['queue.declare', { queue: session.name('amq.q') }],
      ['exchange.declare', { exchange: session.name('amq.x'), type: 'direct' }],
      ['exchange.declare', { exchange: '', type: 'direct' }],
      ['exchange.declare', { exchange: '', type: 'direct', passive: true }],
      ['exchange.delete', { exchange: '' }],
      ['exchange.delete', { exchange: 'amq.direct' }],
      ['exchange.bind', { source: '', destination: 'amq.direct' }],
      ['exchange.declare', { exchange: 'amq.direct', type: 'topic', durable: true }],
      ['exchange.declare', { exchange: 'amq.direct', type: 'direct' }],
      ['exchange.declare', { exchange: session.name('x'), type: 'x-delayed-message' }],
    ]);
  },

  async 'binding to the default exchange'(session) {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { queue: session.name('q'), exclusive: true });
    await session.call(wire, 'queue.bind', { queue: session.name('q'), exchange: '', routingKey: 'k' });
  },

  async 'an exclusive queue seen from another connection'(session) {
    const owner = await session.connect();
    const queue = session.name('q');
    await session.call(owner, 'queue.declare', { queue, exclusive: true, durable: true });
    await each(session, [
      ['queue.declare', { queue, exclusive: true }],
      ['queue.declare', { queue, passive: true }],
      ['basic.consume', { queue }],
      ['basic.get', { queue }],
      ['queue.purge', { queue }],
      ['queue.delete', { queue }],
      ['queue.bind', { queue, exchange: 'amq.direct' }],
    ]);
  },

  async 'deleting what is in use or not empty'(session) {
    const wire = await session.connect();
    const queue = session.name('q');
    await session.call(wire, 'queue.declare', { queue, exclusive: true });
    session.publish(wire, queue, { body: 'a' });
    await session.sync(wire);
    await session.call(wire, 'queue.delete', { queue, ifEmpty: true });
  },

  async 'a queue with a consumer is in use'(session) {
    const wire = await session.connect();
    const queue = session.name('q');
    await session.call(wire, 'queue.declare', { queue, exclusive: true });
    await session.call(wire, 'basic.consume', { queue });
    await session.call(wire, 'queue.delete', { queue, ifUnused: true });
  },

  async 'an exchange with a binding is in use'(session) {
    const wire = await session.connect();
    const [queue, exchange] = [session.name('q'), session.name('x')];
    await session.call(wire, 'queue.declare', { queue, exclusive: true });
    await session.call(wire, 'exchange.declare', { exchange, type: 'fanout', autoDelete: true });
    await session.call(wire, 'queue.bind', { queue, exchange });
    await session.call(wire, 'exchange.delete', { exchange, ifUnused: true });
  },

  async 'an auto-delete exchange goes with its last binding'(session) {
    const wire = await session.connect();
    const [queue, exchange] = [session.name('q'), session.name('x')];
    await session.call(wire, 'queue.declare', { queue, exclusive: true });
    await session.call(wire, 'exchange.declare', { exchange, type: 'fanout', autoDelete: true });
    await session.call(wire, 'queue.bind', { queue, exchange });
    await session.call(wire, 'queue.unbind', { queue, exchange });
    await session.call(wire, 'exchange.declare', { exchange, type: 'fanout', passive: true });
  },

  async 'an auto-delete queue goes with its last consumer'(session) {
    const wire = await session.connect();
    const queue = session.name('q');
    await session.call(wire, 'queue.declare', { queue, autoDelete: true });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'c' });
    await session.call(wire, 'basic.cancel', { consumerTag: 'c' });
    await session.call(wire, 'queue.declare', { queue, passive: true });
  },

  async 'the last declared queue is meant by an empty name'(session) {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { exclusive: true });
    await session.call(wire, 'queue.bind', { exchange: 'amq.topic' });
    await session.call(wire, 'queue.purge', {});
    await session.call(wire, 'basic.consume', {});
    await session.call(wire, 'queue.delete', {});
    await session.expect(wire, 1);
  },

  async 'a headers binding with a wrong x-match'(session) {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { queue: session.name('q'), exclusive: true });
    await session.call(wire, 'queue.bind', {
      queue: session.name('q'),
      exchange: 'amq.headers',
      arguments: table({ 'x-match': longstr('some') }),
    });
  },
};
