// On RabbitMQ: targets are bound when they are first needed, and their absence is told to the publisher alone.
import test from 'ava';
import { delayTopology } from '../src/index.js';
import { Arrivals, deleteDelays, outsider, ownExchange, ownJob, ownPrefix, workerWith } from './_rabbit.js';

function later(exchange: string, routingKey: string) {
  return { exchange, routingKey, content: 'x', options: { delay: 100 } };
}

test('a target that does not exist is an error of publish, and of nothing else', async (t) => {
  const job = ownJob<number>();
  const arrivals = new Arrivals();
  const worker = await workerWith(t);
  worker.handle(job, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  await t.throwsAsync(worker.send(later('', 'delay-test.nowhere')), {
    code: 'ERR_TOPOLOGY_MISSING',
    message: /Queue "delay-test.nowhere"/,
  });
  await t.throwsAsync(worker.send(later('delay-test.nowhere', 'k')), {
    code: 'ERR_TOPOLOGY_MISSING',
    message: /Exchange "delay-test.nowhere"/,
  });
  await t.notThrowsAsync(worker.publish(ownJob<number>({ autoDelete: false, arguments: { 'x-expires': 60_000 } }), 1));
  await worker.publish(job, 2, { delay: 100 });
  await arrivals.all([2]);
});

test('of targets that are needed at the same time only the missing one is refused', async (t) => {
  const channel = await outsider(t);
  const there = await Promise.all(Array.from({ length: 3 }, () => ownExchange(t, channel)));
  const worker = await workerWith(t);
  await worker.start();
  const missing = `${ownPrefix()}.missing`;
  const results = await Promise.allSettled(
    [missing, ...there, `${missing}.too`].map((exchange) => worker.send(later(exchange, 'k'))),
  );
  t.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
});

test('a target that comes later is found', async (t) => {
  const channel = await outsider(t);
  const exchange = `${ownPrefix()}.later`;
  const worker = await workerWith(t);
  await worker.start();
  await t.throwsAsync(worker.send(later(exchange, 'k')), { code: 'ERR_TOPOLOGY_MISSING' });
  await ownExchange(t, channel, exchange);
  await t.notThrowsAsync(worker.send(later(exchange, 'k')));
});

test('a queue that exists with other arguments fails the start, and is named', async (t) => {
  const options = { prefix: ownPrefix() };
  const channel = await outsider(t);
  t.teardown(() => deleteDelays(channel, options));
  const { queue } = delayTopology(options).queues.at(-1) ?? { queue: '' };
  await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum', 'x-message-ttl': 7 } });
  const worker = await workerWith(t, options);
  await t.throwsAsync(worker.start(), {
    code: 'ERR_TOPOLOGY_MISMATCH',
    message: new RegExp(`"${queue}" exists with other arguments`),
  });
});

test('classic queues hold messages too', async (t) => {
  const options = { prefix: ownPrefix(), queueType: 'classic' as const };
  const channel = await outsider(t);
  const exchange = await ownExchange(t, channel);
  t.teardown(() => deleteDelays(channel, options, [exchange]));
  const arrivals = new Arrivals();
  const job = ownJob<number>();
  const worker = await workerWith(t, options);
  worker.handle(job, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  await channel.bindQueue(job.queue.name, exchange, 'k');
  arrivals.expect(1, 120);
  arrivals.expect(2, 220);
  await worker.publish(job, 1, { delay: 120 });
  await worker.publish(job, 2, { delay: 220, exchange, routingKey: 'k' });
  await arrivals.all([1, 2]);
  t.true(arrivals.late.every((ms) => ms >= 0));
});
