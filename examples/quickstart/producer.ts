// What `npm start` feeds its worker with, once the worker consumes: a few jobs, a delayed one, and a burst.
import { setTimeout as sleep } from 'node:timers/promises';
import { CONNECTION, createWorker } from '@warren/core';
import type { Worker } from '@warren/core';
import delay from '@warren/plugin-delay';
import { greeting, letter, reminder } from './jobs.js';

/** Resolves when everything is published. */
export async function produce(url: string, signal: AbortSignal): Promise<void> {
  await using producer = createWorker({ url, plugins: [delay()] });
  await producer.start();
  await consumed(producer, signal);
  await producer.publish(reminder, { about: 'the tea is ready' }, { delay: 4_000 });
  for (const name of ['Ada', 'Grace', '世界']) await producer.publish(greeting, { name });
  await Promise.all(Array.from({ length: 8 }, (_, index) => producer.publish(letter, { number: index + 1 })));
}

/** Resolves when every queue has a consumer. */
async function consumed(producer: Worker, signal: AbortSignal): Promise<void> {
  const connection = producer.resolve(CONNECTION);
  for (const { queue } of [greeting, reminder, letter]) {
    // Until the worker has declared it, there is no such queue.
    while (!((await connection.depth(queue.name).catch(() => undefined))?.consumers ?? 0))
      await sleep(100, undefined, { signal });
  }
}
