// One handler on a real broker, and a plain client beside it.
import type { Options } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { defineJob } from '../src/index.js';
import type { HandlerFunction, HandlerOptions, JobType, QueueOptions, Worker } from '../src/index.js';
import { amqp, brokerWorker } from './_amqp.js';
import type { Amqp } from './_amqp.js';

export interface Bench {
  readonly client: Amqp;
  readonly worker: Worker;
  readonly job: JobType<{ n: number }>;
  readonly queue: string;
}

/** A started worker whose one handler is `handler`. */
export async function bench(
  t: ExecutionContext,
  handler: HandlerFunction<{ n: number }>,
  { queue: options = {}, ...handling }: HandlerOptions & { queue?: Partial<QueueOptions> } = {},
): Promise<Bench> {
  const client = await amqp(t);
  const queue = client.queue('settle');
  const job = defineJob<{ n: number }>('settled', { queue: { name: queue, ...options } });
  const worker = await brokerWorker(t);
  worker.handle(job, handler, handling);
  await worker.start();
  return { client, worker, job, queue };
}

/** A message with every property that a producer can set. */
export const everything: Options.Publish & { readonly headers: Record<string, unknown> } = {
  messageId: 'm-1',
  type: 'settled',
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  correlationId: 'c-1',
  replyTo: 'answers',
  priority: 3,
  expiration: '600000',
  timestamp: 1_700_000_000,
  appId: 'shop',
  userId: 'guest',
  headers: { tenant: 'acme', nested: { deep: [1, 'two'] } },
};
