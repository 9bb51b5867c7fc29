// On RabbitMQ: delayed messages arrive, in time, as they were sent.
import test from 'ava';
import { fixed, retry } from '@warren/core';
import type { Job } from '@warren/core';
import { Arrivals, outsider, ownJob, ownQueue, workerWith } from './_rabbit.js';

test('messages with random delays arrive once each, none early and none lost', async (t) => {
  const arrivals = new Arrivals();
  const job = ownJob<number>();
  const worker = await workerWith(t);
  worker.handle(job, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  const ids = Array.from({ length: 500 }, (_, id) => id);
  const publish = (id: number): Promise<void> => {
    const delay = Math.floor(Math.random() * 3_000);
    arrivals.expect(id, delay);
    return worker.publish(job, id, { delay });
  };
  await Promise.all(ids.map(publish));
  await arrivals.all(ids);
  t.deepEqual(
    arrivals.late.filter((ms) => !(ms >= 0)),
    [],
  );
  t.deepEqual(
    arrivals.order.toSorted((a, b) => a - b),
    ids,
  );
});

test('none waits behind one that was published before and is due later', async (t) => {
  const arrivals = new Arrivals();
  const job = ownJob<number>();
  const worker = await workerWith(t);
  worker.handle(job, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  const delays = [10_000, 1_000, 2_000, 5_000];
  for (const delay of delays) {
    arrivals.expect(delay, delay);
    await worker.publish(job, delay, { delay });
  }
  await arrivals.all(delays);
  t.deepEqual(arrivals.order, [1_000, 2_000, 5_000, 10_000]);
  t.true(arrivals.late.every((ms) => ms >= 0));
});

test('a message for a moment does not arrive before it', async (t) => {
  const job = ownJob<string>();
  const worker = await workerWith(t);
  const arrival = new Promise<number>((resolve) => worker.handle(job, () => resolve(Date.now())));
  await worker.start();
  const at = new Date(Date.now() + 700);
  await worker.publish(job, '', { at });
  t.true((await arrival) >= at.getTime());
});

test('a message arrives as it was sent, and its job knows nothing of the journey', async (t) => {
  const job = ownJob<string>();
  const worker = await workerWith(t);
  const arrival = new Promise<Job<string>>((resolve) => worker.handle(job, resolve));
  await worker.start();
  const options = { priority: 3, correlationId: 'c-1', replyTo: 'answers', messageId: 'm-1', headers: { tenant: 'a', n: 1 } };
  await worker.publish(job, 'päyload', { delay: 111, ...options });
  const { payload, headers, exchange, routingKey, attempt, properties } = await arrival;
  t.is(payload, 'päyload');
  t.deepEqual(headers, options.headers);
  t.deepEqual([exchange, routingKey, attempt], ['', job.queue.name, 1]);
  t.like(properties, {
    priority: 3,
    correlationId: 'c-1',
    replyTo: 'answers',
    messageId: 'm-1',
    type: 'delayed',
    deliveryMode: 2,
  });
});

test('an expiration does not cut the wait short', async (t) => {
  const arrivals = new Arrivals();
  const job = ownJob<number>();
  const worker = await workerWith(t);
  worker.handle(job, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  arrivals.expect(1, 200);
  await worker.publish(job, 1, { delay: 200, expiration: 50 });
  await arrivals.all([1]);
  t.true(arrivals.late.every((ms) => ms >= 0));
});

test('a failed job comes again after its delay, attempt by attempt', async (t) => {
  const arrivals = new Arrivals();
  const job = ownJob<string>({ autoDelete: false, type: 'quorum', deadLetter: false });
  const channel = await outsider(t);
  t.teardown(() => channel.deleteQueue(job.queue.name));
  const worker = await workerWith(t);
  const fail = ({ attempt }: Job): unknown => {
    arrivals.arrived(attempt);
    arrivals.expect(attempt + 1, 120);
    return attempt < 4 ? retry() : undefined;
  };
  worker.handle(job, fail, { retry: fixed({ maxAttempts: 5, delay: 120 }) });
  await worker.start();
  arrivals.expect(1, 0);
  await worker.publish(job, 'x');
  await arrivals.all([4]);
  t.deepEqual(arrivals.order, [1, 2, 3, 4]);
  t.true(arrivals.late.every((ms) => ms >= 0));
});

test('a handler may publish all received headers again, with the same delay over several levels', async (t) => {
  const job = ownJob<number>();
  const worker = await workerWith(t);
  const passes: number[] = [];
  const done = new Promise<void>((resolve) => {
    worker.handle(job, async ({ payload, properties, delivery }) => {
      passes.push(payload);
      if (payload === 4) return resolve();
      const next = { ...properties, headers: { ...properties.headers } };
      await worker.send({
        exchange: '',
        routingKey: delivery.queue,
        content: String(payload + 1),
        properties: next,
        options: { delay: 1_111 },
      });
    });
  });
  await worker.start();
  await worker.publish(job, 0, { delay: 1_111 });
  await done;
  t.deepEqual(passes, [0, 1, 2, 3, 4]);
});

test('a queue that no worker here knows is a target too', async (t) => {
  const arrivals = new Arrivals();
  const channel = await outsider(t);
  const queue = await (await outsider(t)).assertQueue(`delay-test.foreign.${Date.now()}`, { autoDelete: true });
  await channel.consume(queue.queue, () => arrivals.arrived(1), { noAck: true });
  const worker = await workerWith(t);
  await worker.start();
  arrivals.expect(1, 150);
  await worker.send({ exchange: '', routingKey: queue.queue, content: 'x', options: { delay: 150 } });
  await arrivals.all([1]);
  t.true(arrivals.late.every((ms) => ms >= 0));
});

test('a second worker starts on what the first has declared', async (t) => {
  const first = await workerWith(t);
  const second = await workerWith(t);
  await first.start();
  await t.notThrowsAsync(second.start());
});

test('an exclusive queue of another connection is refused clearly', async (t) => {
  const queue = await ownQueue(await outsider(t));
  const worker = await workerWith(t);
  await worker.start();
  const message = { exchange: '', routingKey: queue, content: 'x', options: { delay: 50 } };
  await t.throwsAsync(worker.send(message), { code: 'ERR_ACCESS_REFUSED' });
});
