import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { longstr } from '../../src/amqp/fields.js';
import type { Wire } from '../_wire.js';
import type { Case, Session } from './_session.js';

// What a client must not do, and the reply codes and texts that it gets.

const table = (entries: Record<string, Field>): FieldTable => new Map(Object.entries(entries));
const frame = (type: number, channel: number, payload: Buffer, end = 0xce): Buffer =>
  Buffer.concat([
    Buffer.from([type, channel >> 8, channel & 255, ...[24, 16, 8, 0].map((bits) => (payload.length >> bits) & 255)]),
    payload,
    Buffer.from([end]),
  ]);

/** Does something wrong on a new connection and notes the answer. */
const mistake =
  (act: (wire: Wire, session: Session) => void | Promise<void>): Case =>
  async (session) => {
    const wire = await session.connect();
    await act(wire, session);
    session.note(await wire.nextOf('channel.close', 'connection.close'));
  };

const publish = (properties: Parameters<Wire['publish']>[2], args: Parameters<Wire['publish']>[1] = {}): Case =>
  mistake((wire) => wire.publish(1, { routingKey: 'nowhere', ...args }, properties));

export const errors: Readonly<Record<string, Case>> = {
  'a method before channel.open': mistake((wire) => wire.send(7, 'basic.qos', {})),
  'channel.open twice': mistake((wire) => wire.send(1, 'channel.open', {})),
  'a channel method on channel 0': mistake((wire) => wire.send(0, 'basic.qos', {})),
  'a connection method on a channel': mistake((wire) => wire.send(1, 'connection.open', { virtualHost: '/' })),
  'a method of the server': mistake((wire) => wire.send(1, 'basic.get-empty', {})),
  'a heartbeat on a channel': mistake((wire) => wire.raw(frame(8, 1, Buffer.alloc(0)))),
  'a body without a publish': mistake((wire) => wire.raw(frame(3, 1, Buffer.from('body')))),
  'a method instead of a content header': mistake((wire) => {
    wire.send(1, 'basic.publish', {});
    wire.send(1, 'basic.qos', {});
  }),
  'flow off': mistake((wire) => wire.send(1, 'channel.flow', { active: false })),
  'recover without requeue': mistake((wire) => wire.send(1, 'basic.recover', { requeue: false })),
  'prefetch by size': mistake((wire) => wire.send(1, 'basic.qos', { prefetchSize: 5 })),
  'publish immediate': publish({}, { immediate: true }),
  'publish to an exchange that is missing': publish({}, { exchange: 'missing' }),
  'publish to an internal exchange': publish({}, { exchange: 'amq.rabbitmq.trace' }),
  'publish as somebody else': publish({ userId: 'bob' }),
  'expiration of letters': publish({ expiration: 'abc' }),
  'expiration of nothing': publish({ expiration: '' }),
  'expiration below zero': publish({ expiration: '-1' }),
  'expiration with a fraction': publish({ expiration: '1.5' }),
  'CC that is not an array': publish({ headers: table({ CC: longstr('a') }) }),
  'direct reply without a consumer': publish({ replyTo: 'amq.rabbitmq.reply-to' }),
  'an unknown delivery tag': mistake((wire) => wire.send(1, 'basic.ack', { deliveryTag: 5 })),
  'delivery tag 0': mistake((wire) => wire.send(1, 'basic.reject', { deliveryTag: 0 })),
  'several unknown delivery tags': mistake((wire) => wire.send(1, 'basic.ack', { deliveryTag: 5, multiple: true })),
  'confirm on a channel with transactions': mistake(async (wire) => {
    await wire.call(1, 'tx.select', {});
    wire.send(1, 'confirm.select', {});
  }),
  'transactions on a channel with confirms': mistake(async (wire) => {
    await wire.call(1, 'confirm.select', {});
    wire.send(1, 'tx.select', {});
  }),
  'commit without a transaction': mistake((wire) => wire.send(1, 'tx.commit', {})),
  'a consumer tag twice': mistake(async (wire, session) => {
    const queue = session.name('q');
    await wire.call(1, 'queue.declare', { queue, exclusive: true });
    await wire.call(1, 'basic.consume', { queue, consumerTag: 't' });
    wire.send(1, 'basic.consume', { queue, consumerTag: 't' });
  }),
  'a second consumer beside an exclusive one': mistake(async (wire, session) => {
    const queue = session.name('q');
    await wire.call(1, 'queue.declare', { queue, exclusive: true });
    await wire.call(1, 'basic.consume', { queue, exclusive: true });
    wire.send(1, 'basic.consume', { queue });
  }),
  'direct replies with acknowledgement': mistake((wire) => wire.send(1, 'basic.consume', { queue: 'amq.rabbitmq.reply-to' })),
  'direct replies twice': mistake(async (wire) => {
    await wire.call(1, 'basic.consume', { queue: 'amq.rabbitmq.reply-to', noAck: true });
    wire.send(1, 'basic.consume', { queue: 'amq.rabbitmq.reply-to', noAck: true });
  }),

  'a wrong password': (session) => session.handshake({ login: '\0guest\0wrong' }),
  'a wrong password of a client that does not understand the answer': (session) =>
    session.handshake({ login: '\0guest\0wrong', capabilities: [] }),
  'an unknown virtual host': (session) => session.handshake({ virtualHost: 'nowhere' }),
  'a frame size above what is offered': (session) => session.handshake({ tune: { frameMax: 1_000_000 } }),
  'as many channels as one likes': (session) => session.handshake({ tune: { channelMax: 0 } }),

  async 'tag 0 with multiple is never an error'(session) {
    const wire = await session.connect();
    wire.send(1, 'basic.ack', { deliveryTag: 0, multiple: true });
    await session.sync(wire);
  },

  async 'after an error the channel is silent until close-ok, then open again'(session) {
    const wire = await session.connect();
    await session.call(wire, 'queue.declare', { queue: session.name('missing'), passive: true });
    wire.send(1, 'basic.qos', {});
    wire.send(1, 'channel.close-ok', {});
    await session.call(wire, 'channel.open', {});
    await session.sync(wire);
  },

  async 'an unknown method ends the connection without a word'(session) {
    const wire = await session.connect();
    wire.raw(frame(1, 1, Buffer.from([0, 60, 1, 1])));
    session.note(await wire.next());
  },

  async 'confirms of what cannot be routed'(session) {
    const wire = await session.connect();
    await session.call(wire, 'confirm.select', {});
    wire.publish(1, { routingKey: session.name('nowhere') });
    await session.expect(wire, 1);
  },
};
