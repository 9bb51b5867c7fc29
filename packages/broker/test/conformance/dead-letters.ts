import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { array, integerOf, longstr, textOf } from '../../src/amqp/fields.js';
import type { Wire } from '../_wire.js';
import type { Case, Session } from './_session.js';

// What becomes of messages that are rejected, expire, or do not fit.

const int = (value: number): Field => ({ type: 'I', value });
const table = (entries: Record<string, Field>): FieldTable => new Map(Object.entries(entries));

/** Arguments of a queue whose dead letters go to another one. */
function to(queue: string, more: Record<string, Field> = {}): FieldTable {
  return table({ 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr(queue), ...more });
}

/** A queue whose dead letters go to a second one that is consumed from. */
async function withDeadLetters(session: Session, wire: Wire, args: Record<string, Field> = {}): Promise<string> {
  const [queue, dead] = [session.name('q'), session.name('dead')];
  await session.call(wire, 'queue.declare', { queue: dead, exclusive: true });
  const more = { 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr(dead), ...args };
  await session.call(wire, 'queue.declare', { queue, exclusive: true, arguments: table(more) });
  await session.call(wire, 'basic.consume', { queue: dead, noAck: true, consumerTag: 'dead' });
  return queue;
}

export const deadLetters: Readonly<Record<string, Case>> = {
  async 'a rejected message'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire);
    session.publish(wire, queue, { body: 'a', headers: table({ mine: longstr('kept') }), messageId: 'm' });
    await wire.call(1, 'queue.declare', { queue, passive: true });
    await session.call(wire, 'basic.get', { queue });
    wire.send(1, 'basic.reject', { deliveryTag: 1 });
    await session.expect(wire, 1);
  },

  async 'an expired message, with its own time'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire);
    session.publish(wire, queue, { body: 'a', expiration: '50' });
    await session.expect(wire, 1);
  },

  async 'an expired message, with the time of its queue'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire, { 'x-message-ttl': int(50) });
    session.publish(wire, queue, { body: 'a', expiration: '60000' });
    await session.expect(wire, 1);
  },

  async 'a message with a short time waits behind one with a long time'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire);
    session.publish(wire, queue, { body: 'long', expiration: '300' });
    session.publish(wire, queue, { body: 'short', expiration: '20' });
    await session.expect(wire, 2);
  },

  async 'a message without any time expires at once, if nobody can take it'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire);
    session.publish(wire, queue, { body: 'a', expiration: '0' });
    await session.expect(wire, 1);
  },

  async 'a message that an overfull queue drops'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire, { 'x-max-length': int(1) });
    for (const body of ['1', '2']) session.publish(wire, queue, { body });
    await session.expect(wire, 1);
  },

  async 'a message that an overfull queue refuses'(session) {
    const wire = await session.connect();
    const queue = await withDeadLetters(session, wire, { 'x-max-length': int(1), 'x-overflow': longstr('reject-publish-dlx') });
    for (const body of ['1', '2']) session.publish(wire, queue, { body });
    await session.expect(wire, 1);
  },

  async 'without a dead-letter key the message keeps its keys and its CC'(session) {
    const wire = await session.connect();
    const [queue, exchange, dead] = [session.name('q'), session.name('dlx'), session.name('dead')];
    await session.call(wire, 'exchange.declare', { exchange, type: 'fanout', autoDelete: true });
    await session.call(wire, 'queue.declare', { queue: dead, exclusive: true });
    await session.call(wire, 'queue.bind', { queue: dead, exchange });
    await session.call(wire, 'queue.declare', {
      queue,
      exclusive: true,
      arguments: table({ 'x-dead-letter-exchange': longstr(exchange) }),
    });
    await session.call(wire, 'basic.consume', { queue: dead, noAck: true, consumerTag: 'dead' });
    session.publish(wire, queue, { body: 'a', expiration: '20', headers: table({ CC: array([longstr('other')]) }) });
    await session.expect(wire, 1);
  },

  async 'a message that dies twice in the same way counts it'(session) {
    const wire = await session.connect();
    const [a, b] = [session.name('a'), session.name('b')];
    await session.call(wire, 'queue.declare', { queue: a, exclusive: true, arguments: to(b) });
    await session.call(wire, 'queue.declare', { queue: b, exclusive: true, arguments: to(a) });
    await session.call(wire, 'basic.consume', { queue: a, consumerTag: 'a' });
    await session.call(wire, 'basic.consume', { queue: b, consumerTag: 'b' });
    session.publish(wire, a, { body: 'round' });
    for (let deliveryTag = 1; deliveryTag <= 4; deliveryTag++) {
      const delivery = await wire.next();
      const field = delivery?.properties?.headers?.get('x-death');
      // Behind the first one, the order of the entries is RabbitMQ's own affair, and differs between its versions.
      const deaths = field?.type === 'A' ? field.value : [];
      const counts = deaths.map((death) => (death.type === 'F' ? integerOf(death.value.get('count')) : ''));
      const first = deaths[0]?.type === 'F' ? textOf(deaths[0].value.get('queue')) : '';
      session.note(
        delivery && {
          channel: 1,
          method: { name: 'basic.get-empty', args: {} },
          body: Buffer.from(`${first} ${counts.toSorted((a, b) => Number(a) - Number(b)).join()}`),
        },
      );
      wire.send(1, 'basic.reject', { deliveryTag });
    }
  },

  async 'a message that only expires does not go round'(session) {
    const wire = await session.connect();
    const [a, b] = [session.name('a'), session.name('b')];
    await session.call(wire, 'queue.declare', { queue: a, exclusive: true, arguments: to(b, { 'x-message-ttl': int(30) }) });
    await session.call(wire, 'queue.declare', { queue: b, exclusive: true, arguments: to(a, { 'x-message-ttl': int(30) }) });
    session.publish(wire, a, { body: 'round' });
    await new Promise((resolve) => setTimeout(resolve, 400));
    await session.call(wire, 'queue.declare', { queue: a, passive: true });
    await session.call(wire, 'queue.declare', { queue: b, passive: true });
  },

  async 'a message comes back to a quorum queue too often'(session) {
    const wire = await session.connect();
    const [queue, dead] = [session.name('q'), session.name('dead')];
    await session.call(wire, 'queue.declare', { queue: dead, exclusive: true });
    const args = {
      'x-queue-type': longstr('quorum'),
      'x-delivery-limit': int(2),
      'x-dead-letter-exchange': longstr(''),
      'x-dead-letter-routing-key': longstr(dead),
    };
    await session.call(wire, 'queue.declare', { queue, durable: true, arguments: table(args) });
    await session.call(wire, 'basic.consume', { queue: dead, noAck: true, consumerTag: 'dead' });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'c' });
    session.publish(wire, queue, { body: 'again', deliveryMode: 2 });
    for (let deliveryTag = 1; deliveryTag <= 3; deliveryTag++) {
      await session.expect(wire, 1);
      wire.send(1, 'basic.reject', { deliveryTag, requeue: true });
    }
    await session.expect(wire, 1);
    await session.call(wire, 'queue.delete', { queue });
  },
};
