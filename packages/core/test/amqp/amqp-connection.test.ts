// What core asks of a broker, on a real one: declaring, consuming, looking. Faults have files of their own.
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { brokerUrl } from '@warren/test-broker';
import { AmqpConnection } from '../../src/amqp/amqp-connection.js';
import { SystemClock, silentLogger, Topology, WorkerEvents } from '../../src/index.js';
import type { Delivery } from '../../src/index.js';
import { settingsOf } from '../../src/options.js';
import { queueOf } from '../../src/topology.js';
import { amqp, Signal, unique, until } from '../_amqp.js';

async function connection(t: ExecutionContext): Promise<AmqpConnection> {
  const settings = settingsOf({ url: await brokerUrl() });
  const made = new AmqpConnection({ settings, events: new WorkerEvents(), clock: new SystemClock(), logger: silentLogger });
  t.teardown(() => made.close(2_000));
  await made.connect();
  return made;
}

test('capabilities are known once connected, not before', async (t) => {
  const settings = settingsOf({ url: await brokerUrl() });
  const parts = { settings, events: new WorkerEvents(), clock: new SystemClock(), logger: silentLogger };
  t.throws(() => new AmqpConnection(parts).capabilities, { code: 'ERR_CONNECTION_LOST' });
  t.regex((await connection(t)).capabilities.version, /^\w+ \d+\.\d+/);
});

test('a topology that grows is declared as far as it is new', async (t) => {
  const client = await amqp(t);
  const [first, second, exchange] = [client.queue('first'), client.queue('second'), client.exchange('late')];
  const wire = await connection(t);
  const topology = new Topology().queue(queueOf({ name: first, deadLetter: false }));
  await wire.declare(topology);
  t.is(await client.ready(first), 0);
  // Whoever deletes it meanwhile is not overruled until the next reconnection.
  await client.channel.deleteQueue(first);
  topology
    .queue(queueOf({ name: second, deadLetter: false }))
    .exchange(exchange, 'topic')
    .bindQueue(second, exchange, 'a.#');
  await wire.declare(topology);
  await client.publish({ exchange, routingKey: 'a.b' }, 'x');
  t.is((await client.take(second)).content.toString(), 'x');
  await t.throwsAsync(wire.depth(first), { code: 'ERR_TOPOLOGY_MISSING' });
});

test('one part that is refused does not keep the others back', async (t) => {
  const client = await amqp(t);
  const [good, bad] = [client.queue('good'), client.queue('bad')];
  await client.channel.assertQueue(bad, { durable: true, arguments: { 'x-queue-type': 'classic' } });
  const wire = await connection(t);
  const topology = new Topology()
    .queue(queueOf({ name: bad, deadLetter: false }))
    .queue(queueOf({ name: good, deadLetter: false }));
  const error = await t.throwsAsync(wire.declare(topology), { code: 'ERR_TOPOLOGY_MISMATCH' });
  t.true(error.message.includes(`Queue "${bad}"`), error.message);
  t.is((await wire.depth(good)).ready, 0);
});

test('exchanges are bound to exchanges, and an alternate exchange takes what nobody else does', async (t) => {
  const client = await amqp(t);
  const [queue, lost] = [client.queue('end'), client.queue('lost')];
  const [outer, inner, rest] = [client.exchange('outer'), client.exchange('inner'), client.exchange('rest')];
  const wire = await connection(t);
  const topology = new Topology()
    .exchange(rest, 'fanout')
    .exchange(outer, 'topic', { arguments: { 'alternate-exchange': rest } })
    .exchange(inner, 'direct', { internal: true })
    .queue(queueOf({ name: queue, deadLetter: false }))
    .queue(queueOf({ name: lost, deadLetter: false }))
    .bindExchange(inner, outer, 'a.*')
    .bindQueue(queue, inner, 'a.b')
    .bindQueue(lost, rest);
  await wire.declare(topology);
  await client.publish({ exchange: outer, routingKey: 'a.b' }, 'through');
  await client.publish({ exchange: outer, routingKey: 'z' }, 'left');
  t.is((await client.take(queue)).content.toString(), 'through');
  t.is((await client.take(lost)).content.toString(), 'left');
});

test('a consumer gets at most its prefetch, and takes no more once it is cancelled', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('consume');
  const wire = await connection(t);
  await wire.declare(new Topology().queue(queueOf({ name: queue, deadLetter: false })));
  for (let n = 0; n < 5; n++) await client.send(queue, String(n));
  const deliveries: Delivery[] = [];
  const two = new Signal();
  const consumer = await wire.consume({ queue, prefetch: 2 }, (delivery) => {
    if (deliveries.push(delivery) === 2) two.give();
  });
  await two.came;
  await until(async () => (await wire.depth(queue)).ready === 3);
  t.deepEqual(
    deliveries.map(({ content }) => content.toString()),
    ['0', '1'],
  );
  await consumer.cancel();
  const [first, second] = deliveries;
  first?.ack();
  first?.ack();
  first?.requeue();
  second?.requeue();
  await until(async () => isDeepStrictEqual(await wire.depth(queue), { ready: 4, consumers: 0 }));
  t.is(deliveries.length, 2);
  t.false(first?.lost);
});

test('what a consumer asks beyond its prefetch reaches the broker: an exclusive one keeps others out', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('exclusive');
  const [one, other] = [await connection(t), await connection(t)];
  await one.declare(new Topology().queue(queueOf({ name: queue, type: 'classic', deadLetter: false })));
  await other.declare(new Topology());
  await one.consume({ queue, prefetch: 1, exclusive: true, arguments: { 'x-priority': 5 } }, () => {});
  await t.throwsAsync(
    other.consume({ queue, prefetch: 1 }, () => {}),
    { code: 'ERR_ACCESS_REFUSED' },
  );
});

test('looking at a queue that is not there harms nothing', async (t) => {
  const wire = await connection(t);
  const error = await t.throwsAsync(wire.depth(unique('missing')), { code: 'ERR_TOPOLOGY_MISSING' });
  t.true(error.message.includes('missing-'), error.message);
  await t.throwsAsync(
    wire.consume({ queue: unique('missing'), prefetch: 1 }, () => {}),
    { code: 'ERR_TOPOLOGY_MISSING' },
  );
  const lost = {
    exchange: '',
    routingKey: unique('nobody'),
    content: Buffer.from('x'),
    properties: { messageId: 'm' },
    options: {},
  };
  await t.throwsAsync(wire.publish(lost), { code: 'ERR_UNROUTABLE' });
});

test('close ends quickly, and twice is once', async (t) => {
  const wire = await connection(t);
  await Promise.all([wire.close(2_000), wire.close(2_000)]);
  await t.throwsAsync(wire.depth('x'), { code: 'ERR_CONNECTION_LOST' });
});
