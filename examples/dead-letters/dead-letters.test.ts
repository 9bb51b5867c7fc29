import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { freshBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { deadLetterConsumer, rejecting, waiting } from './dead-letters.js';
import type { DeadMessage, Limits } from './dead-letters.js';

/** Milliseconds for each of the article's seconds. */
const SECOND = 50;

/** Clocks of broker and test are read in whole milliseconds. */
const ROUNDING = 2;

interface Arrival extends DeadMessage {
  at: number;
}

test('a message with an expiration of 10 s arrives 10 s after it was sent, not before', async (t) => {
  const { url } = await freshBroker(t);
  const { worker, arrivals } = await consumer(t, url);
  const sent = performance.now();
  await worker.publish(waiting(), '你好', { expiration: 10 * SECOND });
  const [arrival] = await arrivals.first(1);
  t.like(arrival, { text: '你好', reason: 'expired' });
  t.true(Number(arrival?.at) - sent >= 10 * SECOND - ROUNDING);
});

test('a message with a short TTL waits behind one with a long TTL', async (t) => {
  const { url } = await freshBroker(t);
  const { worker, arrivals } = await consumer(t, url);
  const sent = performance.now();
  await worker.publish(waiting(), '10 s', { expiration: 10 * SECOND });
  await worker.publish(waiting(), '1 s', { expiration: SECOND });
  const [first, second] = await arrivals.first(2);
  t.deepEqual([first?.text, second?.text], ['10 s', '1 s']);
  t.true(Number(second?.at) - sent >= 10 * SECOND - ROUNDING);
});

test('of a message TTL and a queue TTL the smaller one wins', async (t) => {
  const { url } = await freshBroker(t);
  const { worker, arrivals } = await consumer(t, url);
  const job = waiting({ queueTtl: 4 * SECOND });
  const minute = 60_000;
  await worker.publish(job, 'message TTL', { expiration: SECOND });
  const [byMessage] = await arrivals.first(1);
  t.like(byMessage, { text: 'message TTL', reason: 'expired' });

  const sent = performance.now();
  await worker.publish(job, 'queue TTL', { expiration: minute });
  const [, byQueue] = await arrivals.first(2);
  t.like(byQueue, { text: 'queue TTL', reason: 'expired' });
  t.true(Number(byQueue?.at) - sent >= 4 * SECOND - ROUNDING);
  t.true(Number(byQueue?.at) - sent < minute);
});

test('rejected, expired or pushed out of a full queue: each dead letter has its reason', async (t) => {
  const { url } = await freshBroker(t);
  const limits: Limits = { maxLength: 2 };
  const { worker, arrivals } = await consumer(t, url);
  await worker.publish(waiting(limits), 'pushed out');
  await worker.publish(waiting(limits), 'expired', { expiration: SECOND });
  await worker.publish(waiting(limits), 'rejected');
  t.like((await arrivals.first(1))[0], { text: 'pushed out', reason: 'maxlen' });
  t.like((await arrivals.first(2))[1], { text: 'expired', reason: 'expired' });

  await using rejects = rejecting(url, 'not wanted', limits);
  await rejects.start();
  t.like((await arrivals.first(3))[2], { text: 'rejected', reason: 'not wanted' });
});

test("the article's own programs share the queues: declared, sent and rejected by plain amqplib", async (t) => {
  const { url } = await freshBroker(t);
  const { worker, arrivals } = await consumer(t, url);
  const channel = await plainChannel(t, url);
  await channel.assertExchange('testEx', 'direct', { durable: true });
  const queue = { exclusive: false, deadLetterExchange: 'testExDLX', deadLetterRoutingKey: 'testRoutingKeyDLX' };
  await channel.assertQueue('testQu', queue);
  await channel.bindQueue('testQu', 'testEx', '');
  channel.sendToQueue('testQu', Buffer.from('你好'), { expiration: String(SECOND) });
  t.like((await arrivals.first(1))[0], { text: '你好', reason: 'expired' });

  await worker.publish(waiting(), 'from the framework');
  await channel.consume('testQu', (message) => message && channel.nack(message, false, false));
  t.like((await arrivals.first(2))[1], { text: 'from the framework', reason: 'rejected' });
});

async function consumer(t: ExecutionContext, url: string): Promise<{ worker: Worker; arrivals: Recorder<Arrival> }> {
  const arrivals = new Recorder<Arrival>();
  const worker = deadLetterConsumer(url, (message) => arrivals.add({ ...message, at: performance.now() }));
  t.teardown(() => worker.stop());
  await worker.start();
  return { worker, arrivals };
}
