import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startBroker, type EmbeddedBroker } from '../../src/index.js';
import { broker, client, publish } from '../_broker.js';

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'broker-store-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

const bodies = async ({ queue }: EmbeddedBroker, name: string): Promise<string[]> =>
  (await queue(name).messages()).map(({ body }) => Buffer.from(body).toString());

test('What is durable is there again: queues, exchanges, bindings and persistent messages in order.', async (t) => {
  const data = await directory(t);
  const first = await broker(t, { data });
  const { channel } = await client(t, first.url);
  await channel.assertExchange('x', 'topic', { durable: true });
  await channel.assertExchange('passing', 'topic', { durable: false });
  await channel.assertQueue('q', { durable: true, arguments: { 'x-max-priority': 3 } });
  await channel.assertQueue('transient', { durable: false });
  await channel.bindQueue('q', 'x', 'a.#', { note: 'kept' });
  for (const [body, options] of Object.entries({
    one: {},
    urgent: { priority: 3 },
    two: { headers: { n: 5 } },
    ['large'.repeat(10_000)]: {},
  })) {
    channel.publish('x', 'a.b', Buffer.from(body), { persistent: true, ...options });
  }
  channel.publish('x', 'a.b', Buffer.from('not persistent'));
  await channel.waitForConfirms();
  await first.close();

  const second = await broker(t, { data });
  t.deepEqual(await bodies(second, 'q'), ['urgent', 'one', 'two', 'large'.repeat(10_000)]);
  const again = await client(t, second.url);
  again.channel.publish('x', 'a.b', Buffer.from('three'), { persistent: true });
  await again.channel.waitForConfirms();
  t.deepEqual(await bodies(second, 'q'), ['urgent', 'one', 'two', 'large'.repeat(10_000), 'three']);
  t.deepEqual(
    (await second.control.snapshot()).queues.map(({ name }) => name),
    ['q'],
  );
  await t.throwsAsync(again.channel.checkExchange('passing'));
  await again.channelError;
});

test('What was acknowledged, purged, unbound and deleted stays away.', async (t) => {
  const data = await directory(t);
  const first = await broker(t, { data });
  const { channel } = await client(t, first.url);
  for (const queue of ['acked', 'purged', 'deleted']) {
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, 'amq.direct', 'k');
    await publish(channel, queue, queue, { persistent: true });
  }
  const got = await channel.get('acked');
  if (got !== false) channel.ack(got);
  await channel.purgeQueue('purged');
  await channel.deleteQueue('deleted');
  await channel.unbindQueue('purged', 'amq.direct', 'k');
  await first.close();

  const second = await broker(t, { data });
  const again = await client(t, second.url);
  again.channel.publish('amq.direct', 'k', Buffer.from('new'), { persistent: true });
  await again.channel.waitForConfirms();
  const { queues } = await second.control.snapshot();
  t.deepEqual(
    queues.map(({ name, ready }) => [name, ready]),
    [
      ['acked', 1],
      ['purged', 0],
    ],
  );
});

test('A message that was delivered before is redelivered afterwards, and its deliveries are counted on.', async (t) => {
  const data = await directory(t);
  const first = await broker(t, { data });
  const { channel, connection } = await client(t, first.url);
  await channel.assertQueue('q', { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 } });
  await publish(channel, 'q', 'tried', { persistent: true });
  for (let i = 0; i < 2; i++) {
    const got = await channel.get('q');
    if (got !== false) channel.reject(got, true);
  }
  await connection.close();
  await first.close();

  const second = await broker(t, { data });
  const again = await client(t, second.url);
  const got = await again.channel.get('q');
  t.true(got !== false && got.fields.redelivered);
  t.true(got !== false && Number(got.properties.headers?.['x-delivery-count']) >= 2);
});

test('A message that expired meanwhile becomes a dead letter.', async (t) => {
  const data = await directory(t);
  const first = await broker(t, { data });
  const { channel } = await client(t, first.url);
  await channel.assertQueue('dead', { durable: true });
  await channel.assertQueue('q', { durable: true, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  await publish(channel, 'q', 'short', { persistent: true, expiration: '300' });
  await publish(channel, 'q', 'long', { persistent: true, expiration: '100000' });
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 300));

  const second = await broker(t, { data });
  t.deepEqual([await bodies(second, 'q'), await bodies(second, 'dead')], [['long'], ['short']]);
});

test('Two brokers do not share a directory.', async (t) => {
  const data = await directory(t);
  await broker(t, { data });
  await t.throwsAsync(startBroker({ port: 0, data }), { code: 'ERR_BROKER_STORE_IN_USE' });
});
