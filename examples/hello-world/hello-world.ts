// Hello World: one sender, one receiver, one queue that lives in memory.
import { createWorker, defineJob } from '@warren/core';
import type { JobType, Worker } from '@warren/core';

/** As the article's programs declare it: `assertQueue('hello', { durable: false })`, the body plain text. */
export const hello: JobType<string> = defineJob<string>('hello', {
  queue: { name: 'hello', type: 'classic', durable: false, deadLetter: false },
  codec: 'text',
});

/** The same queue, but durable. Where the other one exists, the broker refuses it. */
export const durableHello: JobType<string> = defineJob<string>('hello', {
  queue: { name: 'hello', type: 'classic', durable: true, deadLetter: false },
  codec: 'text',
});

export async function send(url: string, text = 'Hello, World!'): Promise<void> {
  await using worker = createWorker({ url });
  await worker.start();
  await worker.publish(hello, text);
}

/** A worker that prints what comes; not started, so that its events can be listened to. */
export function receiver(url: string, print: (text: string) => void, job: JobType<string> = hello): Worker {
  return createWorker({ url }).handle(job, ({ payload }) => print(payload));
}
