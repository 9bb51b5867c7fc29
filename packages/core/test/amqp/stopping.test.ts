import test from 'ava';
import { CONNECTION, createWorker, defineJob, DISPATCHER } from '@warren/core';
import type { Job, Plugin } from '@warren/core';
import { startProxy } from '@warren/rabbitmq-node';
import { brokerUrl } from '@warren/test-broker';
import { randomUUID } from 'node:crypto';
import { amqp, brokerWorker, Signal } from '../_amqp.js';

test('stop waits for the confirms of what was published, also over a slow line', async (t) => {
  const url = await brokerUrl();
  const proxy = await startProxy({ port: Number(new URL(url).port) });
  t.teardown(() => proxy.close());
  const queue = { name: `stopping-${randomUUID()}`, type: 'classic', deadLetter: false, autoDelete: true } as const;
  const job = defineJob<number>('last words', { queue });
  const worker = createWorker({ url: proxy.url(url) });
  t.teardown(() => worker.stop());
  await worker.start();
  await worker.publish(job, 0);
  proxy.delay(400);
  const published = Promise.all([1, 2, 3].map((n) => worker.publish(job, n)));
  t.deepEqual(await worker.stop(), { drained: true, abandoned: 0 });
  await t.notThrowsAsync(published);
});

test('a consumer that begins while the worker stops does not take the same job again and again', async (t) => {
  const url = await brokerUrl();
  const client = await amqp(t);
  const proxy = await startProxy({ port: Number(new URL(url).port) });
  t.teardown(() => proxy.close());
  const temporary = (name: string) => ({ name: client.queue(name), type: 'classic', deadLetter: false }) as const;
  const [early, late] = [defineJob('early', { queue: temporary('early') }), defineJob('late', { queue: temporary('late') })];
  const [started, consuming] = [new Signal(), new Signal()];
  const taken: string[] = [];
  const watching: Plugin = {
    name: 'watching',
    start(container) {
      const [dispatcher, connection] = [container.resolve(DISPATCHER), container.resolve(CONNECTION)];
      const deliver = dispatcher.deliver.bind(dispatcher);
      const consume = connection.consume.bind(connection);
      dispatcher.deliver = (delivery) => {
        taken.push(delivery.queue);
        return deliver(delivery);
      };
      connection.consume = (options, onDelivery) => {
        if (options.queue === late.queue.name) consuming.give();
        return consume(options, onDelivery);
      };
    },
  };
  const worker = createWorker({ url: proxy.url(url), plugins: [watching] });
  t.teardown(() => worker.stop());
  worker.handle(early, async ({ signal }) => {
    started.give();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
  worker.handle(late, () => {});
  for (const { queue } of [early, late]) {
    await client.channel.assertQueue(queue.name, { durable: true, arguments: { ...queue.arguments } });
    await client.send(queue.name, '{}');
  }
  proxy.delay(40);
  const start = worker.start();
  await Promise.all([started.came, consuming.came]);
  const stopped = worker.stop({ deadline: 2_000 });
  await t.throwsAsync(start, { code: 'ERR_WORKER_STATE' });
  t.deepEqual(await stopped, { drained: false, abandoned: 1 });
  // Once more before the broker has read that the consumer is cancelled; without that, on every turn of the line until the deadline.
  t.true(taken.filter((queue) => queue === late.queue.name).length <= 4, String(taken.length));
});

for (const when of ['at the start', 'after a reconnection']) {
  test(`a job that is delivered with its consumer's first breath, ${when}, is acknowledged although the worker stops at once`, async (t) => {
    const url = await brokerUrl();
    const client = await amqp(t);
    const proxy = await startProxy({ port: Number(new URL(url).port) });
    t.teardown(() => proxy.close());
    const queue = client.queue('first-breath');
    const job = defineJob(queue, { queue: { name: queue, type: 'classic', deadLetter: false } });
    const worker = createWorker({ url: proxy.url(url), reconnect: { initial: 10, max: 50 } });
    const stopped = new Signal<unknown>();
    worker.handle(job, () => stopped.give(worker.stop()));
    await client.channel.assertQueue(queue, { durable: true, arguments: { ...job.queue.arguments } });
    if (when === 'after a reconnection') {
      await worker.start();
      await proxy.refuse(true);
      proxy.cut();
    }
    await client.send(queue, '{}');
    await proxy.refuse(false);
    if (when === 'at the start') await worker.start().catch(() => {});
    t.deepEqual(await stopped.came, { drained: true, abandoned: 0 });
    t.is((await client.channel.checkQueue(queue)).messageCount, 0);
  });
}

test('a job that goes on after the deadline hears at once that it cannot publish any more', async (t) => {
  const client = await amqp(t);
  const job = defineJob<number>('known', { queue: client.queue('known') });
  const other = defineJob<number>('new', { queue: client.queue('new') });
  const worker = await brokerWorker(t);
  const [taken, stopped] = [new Signal<Job<number>>(), new Signal()];
  worker.handle(job, async (current) => {
    taken.give(current);
    await stopped.came;
  });
  await worker.start();
  await worker.publish(job, 1);
  const current = await taken.came;
  t.deepEqual(await worker.stop({ deadline: 200 }), { drained: false, abandoned: 1 });
  const asked = performance.now();
  for (const kind of [job, other]) await t.throwsAsync(current.publish(kind, 2), { code: 'ERR_CONNECTION_LOST' });
  t.true(performance.now() - asked < 10_000, 'not at the timeout of the publish, which is 30 s');
  stopped.give();
});
