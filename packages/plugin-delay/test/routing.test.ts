// On RabbitMQ: a delayed message goes where it was published to, and nowhere else; one that cannot get there is in nobody's way.
import test from 'ava';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { defineJob } from '@warren/core';
import type { OutgoingMessage, Worker } from '@warren/core';
import { delayTopology } from '../src/index.js';
import { Arrivals, deleteDelays, outsider, ownExchange, ownJob, ownPrefix, workerWith } from './_rabbit.js';

/** As many as a level forwards at a time, twice: enough to block it for good. */
const BLOCKING = 64;

function later(exchange: string, routingKey: string, delay: number): OutgoingMessage {
  return { exchange, routingKey, content: 'x', options: { delay } };
}

/** A temporary queue of a channel, and what arrives in it. */
async function tap(
  channel: ConfirmChannel,
  bindings: ReadonlyArray<[exchange: string, pattern: string]>,
): Promise<ConsumeMessage[]> {
  const { queue } = await channel.assertQueue('', { autoDelete: true });
  for (const [exchange, pattern] of bindings) await channel.bindQueue(queue, exchange, pattern);
  const messages: ConsumeMessage[] = [];
  await channel.consume(queue, (message) => message && messages.push(message), { noAck: true });
  return messages;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Comes after all that was published before it with the same delay or less. */
async function fence(worker: Worker, channel: ConfirmChannel, delay: number): Promise<void> {
  const { queue } = await channel.assertQueue('', { autoDelete: true });
  const arrived = new Promise<void>((resolve) => void channel.consume(queue, () => resolve(), { noAck: true }));
  await worker.send(later('', queue, delay));
  await arrived;
}

test('a message for a named exchange is routed by it, with the exchange and key that it was published with', async (t) => {
  const channel = await outsider(t);
  const exchange = await ownExchange(t, channel);
  const worker = await workerWith(t);
  await worker.start();
  const messages = await tap(channel, [[exchange, 'order.*.created']]);
  await worker.send(later(exchange, 'order.7.created', 120));
  await worker.send(later(exchange, 'order.7.paid', 120));
  await until(() => messages.length > 0);
  await fence(worker, channel, 150);
  t.is(messages.length, 1);
  t.is(messages[0]?.fields.exchange, exchange);
  t.is(messages[0]?.fields.routingKey, 'order.7.created');
});

test('the address of a message matches no pattern of the application, and # gets one copy', async (t) => {
  const channel = await outsider(t);
  const name = `${ownPrefix()}.orders`;
  const exchange = await ownExchange(t, channel, name);
  const strays = ['#.orders', '#.orders.#', 'orders.#', '*.orders', `${name}.#`, `#.${name}`, '*.#.orders.*'];
  const stray = await tap(
    channel,
    strays.map((pattern) => [exchange, pattern]),
  );
  const all = await tap(channel, [
    [exchange, '#'],
    [exchange, '*.#'],
  ]);
  const worker = await workerWith(t);
  await worker.start();
  await worker.send(later(exchange, 'payment.made', 120));
  await until(() => all.length > 0);
  await fence(worker, channel, 150);
  t.is(all.length, 1);
  t.deepEqual(stray, []);
});

test('of two queues, one of which ends with the name of the other, each gets its own', async (t) => {
  const arrivals = { short: new Arrivals(), long: new Arrivals() };
  const short = ownJob<number>();
  const long = ownJob<number>({ name: `b.${short.queue.name}` });
  const worker = await workerWith(t);
  worker.handle(short, ({ payload }) => arrivals.short.arrived(payload));
  worker.handle(long, ({ payload }) => arrivals.long.arrived(payload));
  await worker.start();
  for (const [id, job] of [short, long, short, long].entries()) await worker.publish(job, id, { delay: 50 + id * 500 });
  await Promise.all([arrivals.short.all([0, 2]), arrivals.long.all([1, 3])]);
  t.deepEqual(
    [arrivals.short.order, arrivals.long.order],
    [
      [0, 2],
      [1, 3],
    ],
  );
});

test("an application's own key that looks like digits steers nothing", async (t) => {
  const channel = await outsider(t);
  const exchange = await ownExchange(t, channel);
  const messages = await tap(channel, [[exchange, '#']]);
  const worker = await workerWith(t);
  await worker.start();
  await worker.send(later(exchange, '3.orders', 1_120));
  await until(() => messages.length > 0);
  await fence(worker, channel, 3_300);
  t.deepEqual(
    messages.map(({ fields }) => fields.routingKey),
    ['3.orders'],
  );
});

test('messages whose queue has gone are kept aside, and hold up no other', async (t) => {
  const options = { prefix: ownPrefix() };
  const channel = await outsider(t);
  t.teardown(() => deleteDelays(channel, options));
  const gone = defineJob<number>('gone', { queue: { name: `${options.prefix}.gone`, deadLetter: false } });
  const arrivals = new Arrivals();
  const live = ownJob<number>();
  const worker = await workerWith(t, options);
  worker.handle(live, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  await Promise.all(Array.from({ length: BLOCKING }, (_, id) => worker.publish(gone, id, { delay: 500 })));
  await channel.deleteQueue(gone.queue.name);
  await worker.publish(live, 1, { delay: 500 });
  await arrivals.all([1]);
  const { unroutable } = delayTopology(options);
  await until(async () => (await channel.checkQueue(unroutable)).messageCount === BLOCKING);
  t.pass();
});

test('messages that their exchange routes nowhere hold up no other queue and no other exchange', async (t) => {
  const options = { prefix: ownPrefix() };
  const channel = await outsider(t);
  const [blocked, free] = [await ownExchange(t, channel), await ownExchange(t, channel)];
  t.teardown(() => deleteDelays(channel, options, [blocked, free]));
  const arrivals = new Arrivals();
  const live = ownJob<number>();
  const worker = await workerWith(t, options);
  worker.handle(live, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  const messages = await tap(channel, [[free, '#']]);
  for (let i = 0; i < BLOCKING; i++) await worker.send(later(blocked, 'nobody.listens', 500));
  await worker.publish(live, 1, { delay: 500 });
  await worker.send(later(free, 'a.key', 500));
  await arrivals.all([1]);
  await until(() => messages.length === 1);
  t.is((await channel.checkQueue(delayTopology(options).unroutable)).messageCount, 0);
});

test('an alternate exchange of the exchange gets what it does not route', async (t) => {
  const channel = await outsider(t);
  const alternate = await ownExchange(t, channel);
  const exchange = `${alternate}.main`;
  await channel.assertExchange(exchange, 'topic', { alternateExchange: alternate });
  t.teardown(() => channel.deleteExchange(exchange));
  const messages = await tap(channel, [[alternate, '#']]);
  const worker = await workerWith(t);
  await worker.start();
  await worker.send(later(exchange, 'nobody.listens', 100));
  await until(() => messages.length === 1);
  t.is(messages[0]?.fields.routingKey, 'nobody.listens');
});
