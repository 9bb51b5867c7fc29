import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { broker, client, publish } from '../_broker.js';

/** What a promise has come to after a moment. */
async function settled<T>(promise: Promise<T>): Promise<T | 'pending'> {
  return Promise.race([promise, sleep(100, 'pending' as const)]);
}

for (const inProcess of [false, true]) {
  test(`A queue tells its state and can be waited for, ${inProcess ? 'in process' : 'in a thread'}.`, async (t) => {
    const { url, queue } = await broker(t, { inProcess });
    const { channel } = await client(t, url);
    await channel.assertQueue('q', { durable: false });
    await publish(channel, 'q', 'one', { messageId: 'm', headers: { a: 1 } });
    t.like(await queue('q').state(), { ready: 1, unacked: 0, consumers: 0 });
    const [message] = await queue('q').messages();
    t.like(message, { messageId: 'm', headers: { a: 1 }, unacked: false });
    t.is(Buffer.from(message?.body ?? []).toString(), 'one');
    const empty = queue('q').untilEmpty();
    t.is(await settled(empty), 'pending');
    await channel.consume('q', (delivery) => delivery && channel.ack(delivery));
    t.like(await empty, { ready: 0, unacked: 0, consumers: 1 });
  });
}

test('Waiting for a state has an end, and a queue that does not exist is an error.', async (t) => {
  const { queue } = await broker(t);
  await t.throwsAsync(queue('q').until({ ready: 1 }, { timeout: 20 }), { code: 'ERR_BROKER_WAIT_TIMEOUT' });
  await t.throwsAsync(queue('q').state(), { code: 'ERR_BROKER_NOT_FOUND' });
});

test('A blocked broker holds a publish back, tells its connection, and goes on in order.', async (t) => {
  const { url, control, queue } = await broker(t);
  const { connection, channel } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  const blocked = new Promise((resolve) => connection.once('blocked', resolve));
  const unblocked = new Promise((resolve) => connection.once('unblocked', resolve));
  await control.block('testing');
  const published = publish(channel, 'q', 'held');
  t.is(await blocked, 'testing');
  t.is(await settled(published), 'pending');
  t.is((await queue('q').state()).ready, 0);
  t.true((await control.connections())[0]?.blocked);
  await control.unblock();
  await unblocked;
  t.true(await published);
});

test('A connection that does not publish goes on while others are blocked.', async (t) => {
  const { url, control } = await broker(t);
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  await publish(channel, 'q', 'before');
  await control.block();
  t.truthy(await channel.get('q', { noAck: true }));
});

test('Confirms can be lost, refused and delayed.', async (t) => {
  const { url, control } = await broker(t);
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  await control.setConfirms({ kind: 'nack' });
  t.false(await publish(channel, 'q', 'refused'));
  await control.setConfirms({ kind: 'delay', milliseconds: 80 });
  const start = performance.now();
  t.true(await publish(channel, 'q', 'late'));
  t.true(performance.now() - start >= 79);
  await control.setConfirms({ kind: 'lose' });
  t.is(await settled(publish(channel, 'q', 'lost')), 'pending');
  await control.setConfirms(undefined);
});

test('A connection can be dropped without a word.', async (t) => {
  const { url, control } = await broker(t);
  const { connectionClosed } = await client(t, url);
  t.is(await control.dropConnection(), 1);
  await connectionClosed;
  t.deepEqual(await control.connections(), []);
  await t.throwsAsync(control.dropConnection('nobody'), { code: 'ERR_BROKER_NOT_FOUND' });
});

test('A connection can be closed as an operator does.', async (t) => {
  const { url, control } = await broker(t);
  const { connectionClosed } = await client(t, url);
  await control.closeConnection({ reason: 'maintenance' });
  const error = await connectionClosed;
  t.is(error?.code, 320);
  t.regex(error?.message ?? '', /maintenance/);
});

test('A channel can be closed with a code of choice, and its messages come again.', async (t) => {
  const { url, control, queue } = await broker(t);
  const { channel, channelError } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  await publish(channel, 'q', 'again');
  await channel.consume('q', () => {});
  await queue('q').until({ unacked: 1 });
  t.is(await control.closeChannel({ code: 406, text: 'for a test' }), 1);
  t.like(await channelError, { code: 406 });
  t.like(await queue('q').state(), { ready: 1, unacked: 0, consumers: 0 });
  await t.throwsAsync(control.closeChannel({ code: 999 }), { code: 'ERR_BROKER_OPTION' });
});

test('A frozen broker says nothing until it is thawed.', async (t) => {
  const { url, control } = await broker(t);
  const { channel } = await client(t, url);
  await control.freeze();
  const declared = channel.assertQueue('q', { durable: false });
  t.is(await settled(declared), 'pending');
  await control.unfreeze();
  t.like(await declared, { queue: 'q' });
});

test('Time in queues stands still until it is moved.', async (t) => {
  const { url, control, queue } = await broker(t, { virtualClock: true });
  const { channel } = await client(t, url);
  await channel.assertQueue('dead', { durable: false });
  await channel.assertQueue('q', { durable: false, deadLetterExchange: '', deadLetterRoutingKey: 'dead', messageTtl: 60_000 });
  await channel.assertQueue('short-lived', { durable: false, expires: 30_000 });
  await publish(channel, 'q', 'waits');
  await control.advance(59_999);
  t.is((await queue('q').state()).ready, 1);
  await t.throwsAsync(queue('short-lived').state(), { code: 'ERR_BROKER_NOT_FOUND' });
  await control.advance(1);
  t.is((await queue('q').state()).ready, 0);
  t.is((await queue('dead').state()).ready, 1);
});

test('A real clock cannot be moved.', async (t) => {
  const { control } = await broker(t);
  await t.throwsAsync(control.advance(1), { code: 'ERR_BROKER_REAL_CLOCK' });
});

test('A snapshot shows queues with their messages, and connections.', async (t) => {
  const { url, control } = await broker(t);
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: true });
  await publish(channel, 'q', 'seen');
  const { queues, connections, memory } = await control.snapshot();
  t.deepEqual(
    queues.map(({ name, messages }) => [name, messages.length]),
    [['q', 1]],
  );
  t.is(connections.length, 1);
  t.true(memory > 0);
});

test('A closed broker answers no call.', async (t) => {
  const { control, close } = await broker(t);
  await close();
  await t.throwsAsync(control.snapshot(), { code: 'ERR_BROKER_CLOSED' });
});
