import test from 'ava';
import { createWorker, defineJob } from '@warren/core';
import { startProxy } from '@warren/rabbitmq-node';
import { brokerUrl } from '@warren/test-broker';
import { randomUUID } from 'node:crypto';

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
