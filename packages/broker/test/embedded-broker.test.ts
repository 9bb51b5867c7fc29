import { connect } from 'amqplib';
import test from 'ava';
import { startBroker } from '../src/index.js';
import { broker, client, publish } from './_broker.js';

test('Options that make no sense are refused.', async (t) => {
  await t.throwsAsync(startBroker({ port: -1 }), { code: 'ERR_BROKER_OPTION' });
  await t.throwsAsync(startBroker({ port: 0, compat: '5.x' as never }), { code: 'ERR_BROKER_OPTION' });
  await t.throwsAsync(startBroker({ port: 0, users: {} }), { code: 'ERR_BROKER_OPTION' });
  await t.throwsAsync(startBroker({ prot: 0 } as never), { code: 'ERR_BROKER_OPTION', message: /no broker option "prot"/ });
  await t.throwsAsync(startBroker({ port: 0, tls: { key: 'no key', cert: 'no certificate' } }), { code: 'ERR_BROKER_OPTION' });
});

test('A port that is taken is an error that says so.', async (t) => {
  const { port } = await broker(t);
  await t.throwsAsync(startBroker({ port }), { code: 'ERR_BROKER_ADDRESS_IN_USE' });
});

test.serial('It is refused in production, unless asked for.', async (t) => {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  t.teardown(() => {
    process.env['NODE_ENV'] = before;
  });
  await t.throwsAsync(startBroker({ port: 0 }), { code: 'ERR_BROKER_PRODUCTION' });
  const asked = await startBroker({ port: 0, allowProduction: true });
  await t.notThrowsAsync(asked.close());
});

test('It says what it is, and which RabbitMQ it behaves like.', async (t) => {
  const { url } = await broker(t, { compat: '4.x' });
  const { connection } = await client(t, url);
  t.like(connection.connection.serverProperties, { product: 'Warren', compat: '4.x' });
});

test('A wrong password is refused, and so is an unknown virtual host.', async (t) => {
  const { port } = await broker(t, { users: { alice: 'secret' } });
  await t.throwsAsync(connect(`amqp://alice:wrong@127.0.0.1:${port}`), { message: /403/ });
  await t.throwsAsync(connect(`amqp://alice:secret@127.0.0.1:${port}/nowhere`));
  const connection = await connect(`amqp://alice:secret@127.0.0.1:${port}`);
  await t.notThrowsAsync(connection.close());
});

test('Closing it tells its clients.', async (t) => {
  const { url, close } = await broker(t);
  const { connectionClosed } = await client(t, url);
  await close();
  t.is((await connectionClosed)?.code, 320);
});

test('Publishers wait when memory is short, and consumers make room.', async (t) => {
  const { url, queue } = await broker(t, { memoryLimit: 1_000_000 });
  const [publisher, consumer] = [await client(t, url), await client(t, url)];
  await publisher.channel.assertQueue('q', { durable: false });
  const blocked = new Promise((resolve) => publisher.connection.once('blocked', resolve));
  const all = Promise.all(Array.from({ length: 30 }, () => publish(publisher.channel, 'q', 'x'.repeat(50_000))));
  t.is(await blocked, 'low on memory');
  t.true((await queue('q').state()).ready < 30);
  await consumer.channel.consume('q', (delivery) => delivery && consumer.channel.ack(delivery));
  t.true((await all).every(Boolean));
  await queue('q').untilEmpty();
});

test('A message that is too large closes its channel only.', async (t) => {
  const { url } = await broker(t, { limits: { maxMessageSize: 1000 } });
  const { connection, channel, channelError } = await client(t, url);
  channel.sendToQueue('q', Buffer.alloc(1001));
  t.like(await channelError, { code: 406 });
  await t.notThrowsAsync(connection.createChannel());
});

test('There is a limit to queues and to connections.', async (t) => {
  const { url } = await broker(t, { limits: { maxQueues: 1 }, maxConnections: 1 });
  const { channel, channelError } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  await t.throwsAsync(channel.assertQueue('one too many'), { message: /cannot have more than 1 queues/ });
  t.like(await channelError, { code: 406 });
  await t.throwsAsync(connect(url));
});

test('A consumer that does not read is not sent everything at once.', async (t) => {
  const { url, queue } = await broker(t);
  const [publisher, slow] = [await client(t, url), await client(t, url)];
  await publisher.channel.assertQueue('q', { durable: false });
  const all = Array.from({ length: 200 }, () => publish(publisher.channel, 'q', 'x'.repeat(100_000)));
  await Promise.all(all);
  const { stream } = slow.connection.connection as unknown as { stream: { pause(): void; resume(): void } };
  let taken = 0;
  await slow.channel.consume('q', () => taken++, { noAck: true });
  stream.pause();
  const { ready } = await queue('q').state();
  t.true(ready > 50, `${ready} still in the queue`);
  stream.resume();
  await queue('q').untilEmpty();
});

test('A delivery that nobody acknowledges in time closes its channel and comes again.', async (t) => {
  const { url, queue, control } = await broker(t, { consumerTimeout: 1000, virtualClock: true });
  const { channel, channelError } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  await publish(channel, 'q', 'slow');
  await channel.consume('q', () => {});
  await queue('q').until({ unacked: 1 });
  await control.advance(900);
  t.like(await queue('q').state(), { unacked: 1 });
  await control.advance(700);
  const error = await channelError;
  t.is(error.code, 406);
  t.regex(error.message, /timed out\. Timeout value used: 1000 ms/);
  t.like(await queue('q').state(), { ready: 1, unacked: 0 });
});
