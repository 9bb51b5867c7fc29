import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { defineJob } from '../src/index.js';
import type { Plugin } from '../src/index.js';
import { createTestWorker } from '../src/testing/index.js';
import { amqp, brokerWorker } from './_amqp.js';

test('the first publish of a job declares its queue, before any worker consumes it', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('early');
  const worker = await brokerWorker(t);
  await worker.start();
  const job = defineJob<number>('early', { queue });
  await worker.publish(job, 1, { messageId: 'm-1', priority: 2, headers: { tenant: 'acme' } });
  const { content, properties } = await client.take(queue);
  t.is(content.toString(), '1');
  t.like(properties, { messageId: 'm-1', type: 'early', deliveryMode: 2, priority: 2, contentType: 'application/json' });
  t.is(properties.headers?.['tenant'], 'acme');
  t.is(await client.ready(`${queue}.dead`), 0);
});

test('a job that is published many times at once is declared once, and again where that has failed', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const job = defineJob<number>('often', { queue: 'often' });
  const declared: unknown[] = [];
  const failing = [new Error('not now')];
  worker.connection.declare = async (topology) => {
    declared.push(topology);
    await turn();
    const error = failing.pop();
    if (error) throw error;
  };
  const publish = (): Promise<unknown> => Promise.allSettled([1, 2, 3].map((n) => worker.publish(job, n)));
  await publish();
  t.is(declared.length, 1);
  t.deepEqual(worker.sent, []);
  await publish();
  await publish();
  t.is(declared.length, 2);
  t.is(worker.sent.length, 6);
});

test('a message that comes as the declaration ends overtakes none that has waited for it', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const job = defineJob<number>('ordered', { queue: 'ordered' });
  const publishing = Array.from({ length: 50 }, async (_, number) => {
    // One after the other, a microtask apart.
    for (let ticks = number; ticks > 0; ticks--) await Promise.resolve();
    await worker.publish(job, number);
  });
  await Promise.all(publishing);
  t.deepEqual(
    worker.sent.map(({ content }) => Number(content)),
    publishing.map((_, number) => number),
  );
});

test('a spool has a message before its queue is declared, whatever order is given; all other layers have it after', async (t) => {
  const steps: string[] = [];
  const layer = (name: string): Plugin => ({
    name,
    publish: (next) => (message) => {
      steps.push(name);
      return next(message);
    },
  });
  const worker = createTestWorker({ plugins: [layer('audit'), layer('spool')] });
  await worker.start();
  worker.connection.declare = async () => void steps.push('declared');
  await worker.publish(defineJob<number>('kept', { queue: 'kept' }), 1);
  t.deepEqual(steps, ['spool', 'declared', 'audit']);
});
