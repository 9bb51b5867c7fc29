import { randomUUID } from 'node:crypto';
import { createWorker, defineJob } from '@warren/core';
import delay from '@warren/plugin-delay';
import { createStore } from '@warren/store';
import { freshBroker } from '@warren/test-broker';
import test from 'ava';
import idempotency from '../src/index.js';
import { Runs } from './_worker.js';

test('With plugin-delay a duplicate of a running job leaves its queue, and comes back to be acknowledged.', async (t) => {
  const broker = await freshBroker(t);
  const job = defineJob<number>('pay', { queue: `idempotency.${randomUUID()}` });
  const store = createStore('memory:');
  const runs = new Runs();
  const worker = createWorker({ url: broker.url, plugins: [delay(), idempotency({ store })] });
  t.teardown(() => worker.stop({ deadline: 2_000 }));
  worker.handle(job, runs.handler);
  await worker.start();
  for (let time = 0; time < 3; time++) await worker.publish(job, 7, { messageId: 'm' });
  const state = async (): Promise<string> => JSON.stringify(await broker.counts(job.queue.name));
  while ((await state()) !== '{"ready":0,"unacked":1}');
  t.is(runs.all.length, 1, 'the others are outside');
  runs.all[0]?.end();
  const held = async (): Promise<number> => {
    const names = (await broker.queues()).filter((name) => name.startsWith('delay.'));
    const counts = await Promise.all(names.map((name) => broker.counts(name)));
    return counts.reduce((sum, { ready, unacked }) => sum + ready + unacked, 0);
  };
  while ((await held()) > 0 || (await state()) !== '{"ready":0,"unacked":0}');
  t.is(runs.all.length, 1);
});
