// Work queues: `newTask` sends text, workers "work" one second for each dot in it.
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorker, defineJob } from '@warren/core';
import type { JobType, Worker } from '@warren/core';

/** As the article's programs declare it: `assertQueue('task_queue', { durable: true })`, the body plain text. */
export const task: JobType<string> = defineJob<string>('task', {
  queue: { name: 'task_queue', type: 'classic', deadLetter: false },
  codec: 'text',
});

export interface WorkOptions {
  url: string;
  print: (line: string) => void;
  /** Unfinished tasks that the broker gives to this worker; 0 is no limit. Default 1: the next task goes to whoever is idle. */
  prefetch?: number;
  /** Milliseconds of work for each dot. Default 1000. */
  second?: number;
}

/** Sends each text as a task. Resolves when the broker has confirmed all: messages are persistent, they outlive its restart. */
export async function newTask(url: string, ...texts: string[]): Promise<void> {
  await using worker = createWorker({ url });
  await worker.start();
  for (const text of texts) await worker.publish(task, text);
}

/** A worker that does one task at a time; not started. A task is acknowledged when its function has returned, never before. */
export function work({ url, print, prefetch = 1, second = 1_000 }: WorkOptions): Worker {
  return createWorker({ url }).handle(
    task,
    async ({ payload, redelivered, signal }) => {
      print(`Received ${payload}${redelivered ? ' (redelivered)' : ''}`);
      await sleep(dots(payload) * second, undefined, { signal });
      print(`Done ${payload}`);
    },
    { prefetch, concurrency: 1 },
  );
}

export function dots(text: string): number {
  return text.split('.').length - 1;
}
