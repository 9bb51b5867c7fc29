import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { longstr } from '../../src/amqp/fields.js';
import type { Wire } from '../_wire.js';
import type { Case, Session } from './_session.js';

// How queues keep, order and hand out messages.

const int = (value: number): Field => ({ type: 'I', value });
const table = (entries: Record<string, Field>): FieldTable => new Map(Object.entries(entries));

/** A queue with these messages in it. */
async function filled(
  session: Session,
  wire: Wire,
  bodies: readonly string[],
  args: Record<string, Field> = {},
): Promise<string> {
  const queue = session.name('q');
  await session.call(wire, 'queue.declare', { queue, exclusive: true, arguments: table(args) });
  for (const body of bodies) session.publish(wire, queue, { body });
  await wire.call(1, 'queue.declare', { queue, passive: true });
  return queue;
}

async function getAll(session: Session, wire: Wire, queue: string): Promise<void> {
  for (;;) {
    const got = await session.call(wire, 'basic.get', { queue, noAck: true });
    if (got?.method.name !== 'basic.get-ok') return;
  }
}

const five = ['1', '2', '3', '4', '5'];

export const messages: Readonly<Record<string, Case>> = {
  async 'first in, first out'(session) {
    const wire = await session.connect();
    await getAll(session, wire, await filled(session, wire, five));
  },

  async 'a requeued message goes back to its place'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    for (let i = 0; i < 4; i++) await session.call(wire, 'basic.get', { queue });
    wire.send(1, 'basic.nack', { deliveryTag: 3, requeue: true });
    wire.send(1, 'basic.reject', { deliveryTag: 2, requeue: true });
    await session.sync(wire);
    await getAll(session, wire, queue);
  },

  async 'nack of several requeues them in order'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    for (let i = 0; i < 3; i++) await session.call(wire, 'basic.get', { queue });
    wire.send(1, 'basic.nack', { deliveryTag: 3, multiple: true, requeue: true });
    await session.sync(wire);
    await getAll(session, wire, queue);
  },

  async 'nack of deliveries to several consumers goes by consumer'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await session.call(wire, 'basic.qos', { prefetchCount: 1 });
    for (const consumerTag of ['b', 'a', 'c']) {
      await session.call(wire, 'basic.consume', { queue, consumerTag });
      await session.expect(wire, 1);
    }
    wire.send(1, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: true });
    await session.expect(wire, 3);
    await session.call(wire, 'queue.declare', { queue, passive: true });
  },

  async 'a full queue drops before it delivers what comes back'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, ['1', '2'], { 'x-max-length': int(2) });
    await session.call(wire, 'basic.qos', { prefetchCount: 1 });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'c' });
    await session.expect(wire, 1);
    session.publish(wire, queue, { body: '3' });
    await wire.call(1, 'queue.declare', { queue, passive: true });
    wire.send(1, 'basic.nack', { deliveryTag: 1, requeue: true });
    await session.expect(wire, 1);
  },

  async 'the end of a channel requeues'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await wire.call(2, 'channel.open', {});
    await session.call(wire, 'basic.get', { queue }, 2);
    await session.call(wire, 'basic.get', { queue }, 2);
    await session.call(wire, 'channel.close', {}, 2);
    await getAll(session, wire, queue);
  },

  async 'basic.recover requeues'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await session.call(wire, 'basic.get', { queue });
    await session.call(wire, 'basic.recover', { requeue: true });
    await getAll(session, wire, queue);
  },

  async 'prefetch holds deliveries back until they are acknowledged'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await session.call(wire, 'basic.qos', { prefetchCount: 2 });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'c' });
    await session.expect(wire, 2);
    await session.call(wire, 'queue.declare', { queue, passive: true });
    wire.send(1, 'basic.ack', { deliveryTag: 2, multiple: true });
    await session.expect(wire, 2);
    wire.send(1, 'basic.ack', { deliveryTag: 3 });
    await session.expect(wire, 1);
  },

  async 'a prefetch limit of the channel is shared'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await session.call(wire, 'basic.qos', { prefetchCount: 2, global: true });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'a' });
    await session.expect(wire, 2);
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'b' });
    await session.call(wire, 'queue.declare', { queue, passive: true });
  },

  async 'deliveries go round'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, []);
    for (const consumerTag of ['a', 'b', 'c']) await session.call(wire, 'basic.consume', { queue, consumerTag });
    for (const body of five) {
      session.publish(wire, queue, { body });
      await session.expect(wire, 1);
    }
  },

  async 'a consumer of higher priority comes first'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, []);
    await session.call(wire, 'basic.qos', { prefetchCount: 2 });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'low' });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'high', arguments: table({ 'x-priority': int(5) }) });
    for (const body of five.slice(0, 4)) {
      session.publish(wire, queue, { body });
      await session.expect(wire, 1);
    }
  },

  async 'a single active consumer gets everything until it goes'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, [], { 'x-single-active-consumer': { type: 't', value: true } });
    for (const consumerTag of ['a', 'b']) await session.call(wire, 'basic.consume', { queue, consumerTag, noAck: true });
    for (const body of ['1', '2']) session.publish(wire, queue, { body });
    await session.expect(wire, 2);
    await session.call(wire, 'basic.cancel', { consumerTag: 'a' });
    session.publish(wire, queue, { body: '3' });
    await session.expect(wire, 1);
  },

  async 'messages of higher priority come first'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, [], { 'x-max-priority': int(5) });
    for (const priority of [1, 5, 3, 9, 0]) session.publish(wire, queue, { priority, body: String(priority) });
    session.publish(wire, queue, { body: 'none' });
    await wire.call(1, 'queue.declare', { queue, passive: true });
    await getAll(session, wire, queue);
  },

  async 'a full queue drops its head'(session) {
    const wire = await session.connect();
    await getAll(session, wire, await filled(session, wire, five, { 'x-max-length': int(2) }));
  },

  async 'a queue full of octets drops its head'(session) {
    const wire = await session.connect();
    await getAll(session, wire, await filled(session, wire, ['aaaa', 'bbbb', 'c'], { 'x-max-length-bytes': int(5) }));
  },

  async 'a full queue refuses what is published'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, ['1'], { 'x-max-length': int(1), 'x-overflow': longstr('reject-publish') });
    await session.call(wire, 'confirm.select', {});
    session.publish(wire, queue, { body: '2' });
    await session.expect(wire, 1);
    await wire.call(1, 'queue.purge', { queue });
    session.publish(wire, queue, { body: '3' });
    await session.expect(wire, 1);
    await getAll(session, wire, queue);
  },

  async 'a purge counts what it removes'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await session.call(wire, 'basic.get', { queue });
    await session.call(wire, 'queue.purge', { queue });
    await session.call(wire, 'queue.delete', { queue });
  },

  async 'a deleted queue cancels its consumers'(session) {
    const [wire, other] = [await session.connect(), await session.connect([])];
    const queue = session.name('q');
    await session.call(wire, 'queue.declare', { queue });
    await session.call(other, 'basic.consume', { queue, consumerTag: 'not told' });
    await session.call(wire, 'basic.consume', { queue, consumerTag: 'told' });
    await session.call(wire, 'queue.delete', { queue });
    await session.expect(wire, 1);
    await session.sync(other);
  },

  async 'acknowledging what a deleted queue delivered does no harm'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, five);
    await session.call(wire, 'basic.get', { queue });
    await session.call(wire, 'queue.delete', { queue });
    wire.send(1, 'basic.ack', { deliveryTag: 1 });
    await session.sync(wire);
  },

  async 'a transaction commits and rolls back'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, ['1']);
    await session.call(wire, 'tx.select', {});
    await session.call(wire, 'basic.get', { queue });
    session.publish(wire, queue, { body: 'rolled back' });
    wire.send(1, 'basic.ack', { deliveryTag: 1 });
    await session.call(wire, 'tx.rollback', {});
    wire.send(1, 'basic.ack', { deliveryTag: 1 });
    session.publish(wire, queue, { body: 'committed' });
    await session.call(wire, 'queue.declare', { queue, passive: true });
    await session.call(wire, 'tx.commit', {});
    await getAll(session, wire, queue);
  },

  async 'all properties and all kinds of header values come through'(session) {
    const wire = await session.connect();
    const queue = await filled(session, wire, []);
    const headers = table({
      t: { type: 't', value: true },
      b: { type: 'b', value: -1 },
      s: { type: 's', value: -300 },
      I: { type: 'I', value: -70_000 },
      l: { type: 'l', value: -5_000_000_000n },
      f: { type: 'f', value: 0.5 },
      d: { type: 'd', value: 0.1 },
      D: { type: 'D', value: { scale: 2, digits: 314 } },
      S: longstr('text'),
      x: { type: 'x', value: Buffer.from([0, 255]) },
      A: { type: 'A', value: [longstr('a'), int(1)] },
      F: { type: 'F', value: table({ inner: longstr('table') }) },
      T: { type: 'T', value: 1_700_000_000n },
      V: { type: 'V', value: null },
    });
    session.publish(wire, queue, {
      body: 'b',
      contentType: 'text/plain',
      contentEncoding: 'utf-8',
      headers,
      deliveryMode: 1,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm',
      timestamp: 1_700_000_000n,
      type: 't',
      userId: 'guest',
      appId: 'a',
    });
    await wire.call(1, 'queue.declare', { queue, passive: true });
    await getAll(session, wire, queue);
  },
};
