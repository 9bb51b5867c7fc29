import test from 'ava';
import type { GetMessage } from 'amqplib';
import { broker, client, publish } from './_broker.js';

const quorum = { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 2 } };

for (const [compat, scope] of [
  ['3.x', 'connection'],
  ['4.x', 'channel'],
] as const) {
  test(`In ${compat} an unknown exchange type closes the ${scope}.`, async (t) => {
    const { url } = await broker(t, { compat });
    const { connection, channel, channelError, connectionClosed } = await client(t, url);
    void channel.assertExchange('x', 'x-delayed-message').catch(() => {});
    if (scope === 'connection') {
      t.is((await connectionClosed)?.code, 503);
    } else {
      t.is((await channelError).code, 406);
      await t.notThrowsAsync(connection.createChannel());
    }
  });

  test(`In ${compat} basic.nack ${compat === '3.x' ? 'counts' : 'does not count'} towards the delivery limit, and basic.reject does.`, async (t) => {
    const { url, queue } = await broker(t, { compat });
    const { channel } = await client(t, url);
    await channel.assertQueue('q', quorum);
    await publish(channel, 'q', 'again');
    for (let i = 0; i < 3; i++) channel.nack((await channel.get('q')) as GetMessage);
    const got = await channel.get('q');
    if (compat === '3.x') {
      t.false(got);
      return;
    }
    const { headers } = (got as GetMessage).properties;
    t.deepEqual([headers?.['x-acquired-count'], headers?.['x-delivery-count']], [3, undefined]);
    channel.reject(got as GetMessage);
    for (let i = 0; i < 2; i++) channel.reject((await channel.get('q')) as GetMessage);
    t.like(await queue('q').until({ ready: 0, unacked: 0 }), { ready: 0 });
  });

  test(`In ${compat} an x-death header that a client publishes ${compat === '3.x' ? 'is counted on' : 'is not believed'}.`, async (t) => {
    const { url } = await broker(t, { compat });
    const { channel } = await client(t, url);
    await channel.assertQueue('dead', { durable: false });
    await channel.assertQueue('q', { durable: false, deadLetterExchange: '', deadLetterRoutingKey: 'dead', maxLength: 0 });
    const headers = { 'x-death': [{ queue: 'q', reason: 'maxlen', count: 5 }] };
    await publish(channel, 'q', 'x', { headers });
    const got = (await channel.get('dead', { noAck: true })) as GetMessage;
    t.is(got.properties.headers?.['x-death']?.[0]?.count, compat === '3.x' ? 6 : 1);
  });
}

test('In 4.x a quorum queue gives a message up after twenty returns, unless told otherwise.', async (t) => {
  const { url, queue } = await broker(t, { compat: '4.x' });
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await publish(channel, 'q', 'again');
  let deliveries = 0;
  for (let got = await channel.get('q'); got !== false; got = await channel.get('q')) {
    deliveries++;
    channel.reject(got);
  }
  t.is(deliveries, 21);
  t.like(await queue('q').state(), { ready: 0, unacked: 0 });
});

test('In 4.x a prefetch limit for the channel as a whole is taken and ignored.', async (t) => {
  const { url, queue } = await broker(t, { compat: '4.x' });
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  for (const body of ['1', '2', '3']) await publish(channel, 'q', body);
  await channel.prefetch(1, true);
  await channel.consume('q', () => {});
  t.like(await queue('q').until({ unacked: 3 }), { ready: 0 });
});
