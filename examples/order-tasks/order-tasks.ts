// An order service that outlives its broker: a consumer of one order at a time, and a producer behind HTTP.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorker, defineJob, WorkerError } from '@warren/core';
import type { Job, JobType, Worker, WorkerOptions } from '@warren/core';

/** As the article declares it: the direct exchange `task`, the queue `order_tasks` bound by the key `order_task`. */
export const orderTask: JobType<string> = defineJob<string>('order_task', {
  queue: { name: 'order_tasks', type: 'classic', deadLetter: false },
  exchange: 'task',
  routingKey: 'order_task',
  bindings: [{ exchange: 'task', type: 'direct', pattern: 'order_task' }],
  codec: 'text',
});

export interface ConsumerOptions extends WorkerOptions {
  onOrder: (job: Job<string>) => unknown;
  /** Milliseconds that an order takes. Default 5000. */
  duration?: number;
}

/** Takes orders, by default one at a time; not started. It reconnects by itself, declares and consumes again. */
export function orderConsumer({ onOrder, duration = 5_000, ...options }: ConsumerOptions): Worker {
  const worker = createWorker({ prefetch: 1, ...options });
  return worker.handle(orderTask, async (job) => {
    await onOrder(job);
    await sleep(duration, undefined, { signal: job.signal });
  });
}

export interface Producer extends AsyncDisposable {
  /** Of the HTTP server, on 127.0.0.1. */
  readonly port: number;
}

/** `GET /producer` publishes five messages, and answers when the broker has confirmed them all; or 503, with what went wrong. With plugin-spool they survive the producer's own crash, too. */
export async function startProducer({ port = 3_000, ...options }: WorkerOptions & { port?: number }): Promise<Producer> {
  const worker = createWorker(options);
  await worker.start();
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/producer') void produce(worker, response);
    else response.writeHead(404).end();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await worker.stop();
    },
  };
}

async function produce(worker: Worker, response: ServerResponse): Promise<void> {
  const texts = [0, 1, 2, 3, 4].map((number) => `第${number}条消息`);
  try {
    // Handed over one after the other, which is their order; the broker confirms them together.
    await Promise.all(texts.map((text) => worker.publish(orderTask, text)));
    answer(response, 200, { published: texts.length });
  } catch (error) {
    answer(response, 503, { error: error instanceof WorkerError ? error.code : 'ERR_UNKNOWN' });
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
