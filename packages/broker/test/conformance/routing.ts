import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { array, longstr } from '../../src/amqp/fields.js';
import type { Wire } from '../_wire.js';
import type { Case, Session } from './_session.js';

// Where messages go.

const table = (entries: Record<string, Field>): FieldTable => new Map(Object.entries(entries));

async function boundQueue(
  session: Session,
  wire: Wire,
  { exchange, ...key }: { exchange: string; routingKey?: string; arguments?: FieldTable },
): Promise<string> {
  const queue = session.name('bound');
  await wire.call(1, 'queue.declare', { queue, exclusive: true });
  await wire.call(1, 'queue.bind', { queue, exchange, ...key });
  return queue;
}

/** Publishes with each key and notes the bodies that arrive in the queue. */
const topic =
  (pattern: string, keys: readonly string[]): Case =>
  async (session) => {
    const wire = await session.connect();
    const exchange = session.name('x');
    await session.call(wire, 'exchange.declare', { exchange, type: 'topic', autoDelete: true });
    const queue = await boundQueue(session, wire, { exchange, routingKey: pattern });
    await wire.call(1, 'confirm.select', {});
    for (const routingKey of keys) wire.publish(1, { exchange, routingKey, mandatory: true }, { body: routingKey });
    await drain(session, wire, queue);
  };

/** Notes what is in a queue, once everything published before has arrived. */
async function drain(session: Session, wire: Wire, queue: string): Promise<void> {
  await wire.call(1, 'queue.declare', { queue, passive: true });
  for (;;) {
    wire.send(1, 'basic.get', { queue, noAck: true });
    const ok = await wire.nextOf('basic.get-ok', 'basic.get-empty');
    session.note(ok);
    if (ok?.method.name !== 'basic.get-ok') return;
  }
}

const headersMatch =
  (pattern: Record<string, Field>, ...messages: ReadonlyArray<Record<string, Field>>): Case =>
  async (session) => {
    const wire = await session.connect();
    const exchange = session.name('x');
    await session.call(wire, 'exchange.declare', { exchange, type: 'headers', autoDelete: true });
    const queue = await boundQueue(session, wire, { exchange, arguments: table(pattern) });
    for (const headers of messages) wire.publish(1, { exchange }, { headers: table(headers), body: Object.keys(headers).join() });
    await drain(session, wire, queue);
  };

const [a, b, x] = [longstr('1'), longstr('2'), longstr('3')];

export const routing: Readonly<Record<string, Case>> = {
  'topic *': topic('a.*.c', ['a.b.c', 'a.c', 'a.b.b.c', 'a..c', 'a.*.c', '']),
  'topic #': topic('a.#', ['a', 'a.b', 'a.b.c', 'b.a', '', 'a.']),
  'topic # in the middle': topic('a.#.z', ['a.z', 'a.b.z', 'a.b.c.z', 'a.b', 'z']),
  'topic # and *': topic('#.*', ['', 'a', 'a.b', '.']),
  'topic #.#': topic('#.#', ['', 'a', 'a.b']),
  'topic of empty words': topic('*.*', ['.', 'a', 'a.', '.a', '..']),
  'topic of nothing': topic('', ['', 'a']),
  'headers all': headersMatch({ 'x-match': longstr('all'), a, b }, { a, b }, { a }, { a, b, x }, { a, b: a }),
  'headers any': headersMatch({ 'x-match': longstr('any'), a, b }, { a }, { b }, { x }, {}),
  'headers without x-match': headersMatch({ a }, { a }, { b }, {}),
  'headers all of nothing': headersMatch({ 'x-match': longstr('all') }, { a }, {}),
  'headers any of nothing': headersMatch({ 'x-match': longstr('any') }, { a }, {}),
  'headers present whatever the value': headersMatch({ a: { type: 'V', value: null } }, { a }, { a: b }, { b }),
  'headers with x- do not count': headersMatch({ 'x-match': longstr('all'), 'x-a': a, b }, { b }, { 'x-a': a, b }),
  'headers with x- count when asked': headersMatch({ 'x-match': longstr('all-with-x'), 'x-a': a, b }, { b }, { 'x-a': a, b }),
  'headers of another integer width': headersMatch(
    { a: { type: 'I', value: 5 } },
    { a: { type: 'l', value: 5n } },
    { a: { type: 's', value: 5 } },
    { a: longstr('5') },
  ),

  async 'each queue gets one copy, whatever matches'(session) {
    const wire = await session.connect();
    const exchange = session.name('x');
    await session.call(wire, 'exchange.declare', { exchange, type: 'topic', autoDelete: true });
    const queue = await boundQueue(session, wire, { exchange, routingKey: '#' });
    await session.call(wire, 'queue.bind', { queue, exchange, routingKey: 'a.*' });
    wire.publish(1, { exchange, routingKey: 'a.b' }, { body: 'once' });
    await drain(session, wire, queue);
  },

  async 'exchanges bound in a circle, and the original exchange and key'(session) {
    const wire = await session.connect();
    const [first, second] = [session.name('x'), session.name('y')];
    for (const exchange of [first, second]) await session.call(wire, 'exchange.declare', { exchange, type: 'fanout' });
    await session.call(wire, 'exchange.bind', { source: first, destination: second });
    await session.call(wire, 'exchange.bind', { source: second, destination: first });
    const queue = await boundQueue(session, wire, { exchange: second });
    wire.publish(1, { exchange: first, routingKey: 'key' }, { body: 'once' });
    await drain(session, wire, queue);
    for (const exchange of [first, second]) await session.call(wire, 'exchange.delete', { exchange });
  },

  async 'the alternate exchange gets what nothing matches, and that is not unroutable'(session) {
    const wire = await session.connect();
    const [main, alternate] = [session.name('x'), session.name('ae')];
    await session.call(wire, 'exchange.declare', { exchange: alternate, type: 'fanout', autoDelete: true });
    await session.call(wire, 'exchange.declare', {
      exchange: main,
      type: 'direct',
      arguments: table({ 'alternate-exchange': longstr(alternate) }),
    });
    const queue = await boundQueue(session, wire, { exchange: alternate });
    wire.publish(1, { exchange: main, routingKey: 'nowhere', mandatory: true }, { body: 'caught' });
    await drain(session, wire, queue);
    await session.call(wire, 'exchange.delete', { exchange: main });
  },

  async 'CC and BCC add routing keys, and only CC is seen'(session) {
    const wire = await session.connect();
    const queues = [session.name('a'), session.name('b'), session.name('c')] as const;
    for (const queue of queues) await session.call(wire, 'queue.declare', { queue, exclusive: true });
    const headers = table({ CC: array([longstr(queues[1]), longstr(queues[0])]), BCC: array([longstr(queues[2])]) });
    wire.publish(1, { routingKey: queues[0] }, { headers, body: 'copy' });
    for (const queue of queues) await drain(session, wire, queue);
  },

  async 'an unroutable message comes back before its confirm'(session) {
    const wire = await session.connect();
    await session.call(wire, 'confirm.select', {});
    wire.publish(1, { exchange: 'amq.direct', routingKey: 'nowhere', mandatory: true }, { body: 'back', messageId: 'm' });
    await session.expect(wire, 2);
  },

  async 'direct reply-to'(session) {
    const [asker, replier] = [await session.connect(), await session.connect()];
    const queue = session.name('q');
    await session.call(replier, 'queue.declare', { queue, exclusive: true });
    await session.call(asker, 'basic.consume', { queue: 'amq.rabbitmq.reply-to', noAck: true, consumerTag: 'replies' });
    asker.publish(1, { routingKey: queue }, { replyTo: 'amq.rabbitmq.reply-to', body: 'question' });
    await asker.call(1, 'basic.qos', {});
    const question = await replier.call(1, 'basic.get', { queue, noAck: true });
    replier.publish(1, { routingKey: question?.properties?.replyTo ?? '', mandatory: true }, { body: 'answer' });
    const answer = await asker.next();
    session.note(answer && { channel: 1, method: { name: 'basic.get-empty', args: {} }, body: answer.body ?? Buffer.alloc(0) });
  },
};
