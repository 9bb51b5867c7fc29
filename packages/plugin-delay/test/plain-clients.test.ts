// On RabbitMQ: programs without Warren send and receive delayed messages, as docs/delays.md says.
import { once } from 'node:events';
import test from 'ava';
import type { ConsumeMessage } from 'amqplib';
import { addressOf, delayTopology, digitsOf } from '../src/index.js';
import { outsider, ownExchange, ownJob, workerWith } from './_rabbit.js';

test('a plain producer sends a job for a queue, by its address alone', async (t) => {
  const job = ownJob<{ n: number }>();
  const worker = await workerWith(t);
  const arrival = new Promise<number>((resolve) => worker.handle(job, ({ payload }) => resolve(payload.n)));
  await worker.start();
  const channel = await outsider(t);
  const published = performance.now();
  channel.publish('delay.v1.L08', `~d.0.0.0.0.0.0.0.0.2.0.0.q.${job.queue.name}`, Buffer.from('{"n":7}'), { persistent: true });
  await channel.waitForConfirms();
  t.is(await arrival, 7);
  t.true(performance.now() - published >= 200);
});

test('a plain producer sends to an exchange, with its own routing key', async (t) => {
  const channel = await outsider(t);
  const exchange = await ownExchange(t, channel);
  const worker = await workerWith(t);
  await worker.start();
  // A worker that has sent to the exchange once has made the way from the levels to it.
  await worker.send({ exchange, routingKey: 'way', content: 'x', options: { delay: 1 } });
  const { queue } = await channel.assertQueue('', { autoDelete: true });
  await channel.bindQueue(queue, exchange, 'order.*.created');
  const arrival = new Promise<ConsumeMessage | null>((resolve) => void channel.consume(queue, resolve, { noAck: true }));
  const digits = digitsOf(90);
  const level = delayTopology().levels[digits.findIndex((digit) => digit > 0)] ?? '';
  channel.publish(level, 'order.7.created', Buffer.from('x'), {
    headers: { CC: [addressOf(digits, { kind: 'exchange', name: exchange })] },
  });
  const message = await arrival;
  t.is(message?.fields.exchange, exchange);
  t.is(message?.fields.routingKey, 'order.7.created');
});

test('a plain consumer receives a delayed message with its content and properties', async (t) => {
  const channel = await outsider(t);
  const { queue } = await channel.assertQueue(`delay-test.plain.${Date.now()}`, { autoDelete: true });
  const arrival = new Promise<ConsumeMessage | null>((resolve) => void channel.consume(queue, resolve, { noAck: true }));
  const worker = await workerWith(t);
  await worker.start();
  const properties = { type: 'note', priority: 2, correlationId: 'c', contentType: 'text/plain', headers: { tenant: 'a' } };
  const before = Date.now();
  await worker.send({ exchange: '', routingKey: queue, content: '第0条消息', properties, options: { delay: 100 } });
  const message = await arrival;
  t.is(message?.content.toString(), '第0条消息');
  t.is(message?.fields.routingKey, queue);
  t.like(message?.properties, { type: 'note', priority: 2, correlationId: 'c', contentType: 'text/plain' });
  const headers: Record<string, unknown> = message?.properties.headers ?? {};
  t.is(headers['tenant'], 'a');
  t.is(headers['x-delay-ms'], 100);
  t.true(Number(headers['x-delay-due']) >= before + 100);
  t.deepEqual([headers['x-original-exchange'], headers['x-original-routing-key']], ['', queue]);
});

test('a message that no target takes is not returned: it is among the unroutable', async (t) => {
  const channel = await outsider(t);
  const worker = await workerWith(t);
  await worker.start();
  const id = `lost-${Date.now()}`;
  const returned: unknown[] = [];
  channel.on('return', (message) => returned.push(message));
  const { queue } = await channel.assertQueue('', { autoDelete: true });
  await channel.bindQueue(queue, delayTopology().unroutable, '');
  const found = once(channel, 'found');
  await channel.consume(queue, (message) => message?.properties.messageId === id && channel.emit('found'), { noAck: true });
  channel.publish('delay.v1.L10', '~d.0.0.0.0.0.0.0.0.0.0.5.q.delay-test.nowhere', Buffer.from('x'), {
    mandatory: true,
    messageId: id,
  });
  await channel.waitForConfirms();
  await found;
  t.deepEqual(returned, []);
});
