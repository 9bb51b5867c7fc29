import { randomUUID } from 'node:crypto';
import { createWorker } from '@warren/core';
import delay from '@warren/plugin-delay';
import { brokerUrl } from '@warren/test-broker';
import test from 'ava';
import tasks, { defineTask } from '../src/index.js';

test('of tasks that wait, those of a higher priority run first, in a queue that has priorities', async (t) => {
  const task = defineTask<string>('ranked', { queue: `ranked-${randomUUID()}`, priorities: 9 });
  const options = { url: await brokerUrl(), prefetch: 1, plugins: [delay(), tasks({ records: false })] };
  const producer = createWorker(options);
  t.teardown(() => producer.stop());
  await producer.start();
  for (const priority of [0, 5, 9, 5]) await producer.enqueue(task, `priority ${priority}`, { priority });
  const ran: string[] = [];
  const worker = createWorker(options);
  t.teardown(() => worker.stop());
  const all = new Promise<void>((resolve) => {
    worker.handle(task, ({ payload }) => {
      ran.push(payload);
      if (ran.length === 4) resolve();
    });
  });
  await worker.start();
  await all;
  t.deepEqual(ran, ['priority 9', 'priority 5', 'priority 5', 'priority 0']);
});
