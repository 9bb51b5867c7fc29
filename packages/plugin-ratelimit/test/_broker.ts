// What the tests on RabbitMQ share.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { capabilitiesOf, createWorker, defineJob } from '@warren/core';
import type { Capabilities, JobType, Plugin, Worker } from '@warren/core';
import { brokerUrl } from '@warren/test-broker';
import { connect } from 'amqplib';
import type { Channel } from 'amqplib';
import type { ExecutionContext } from 'ava';

/** The article's topology with names of its own: topic exchange `qosEx`, queue `qosQueue`, binding `qos.#`, key `qos.test001`. */
export function qosJob(type: 'classic' | 'quorum' = 'classic'): JobType<string> {
  const suffix = randomUUID();
  return defineJob<string>('qos', {
    queue: { name: `qosQueue.${suffix}`, type, deadLetter: false },
    codec: 'text',
    exchange: `qosEx.${suffix}`,
    routingKey: 'qos.test001',
    bindings: [{ exchange: `qosEx.${suffix}`, type: 'topic', pattern: 'qos.#' }],
  });
}

/** A worker on the broker; it ends with the test, and its queue and exchange with it. */
export async function workerOn(t: ExecutionContext, plugins: readonly Plugin[], url?: string): Promise<Worker> {
  const worker = createWorker({ url: url ?? (await brokerUrl()), plugins, reconnect: { initial: 50, max: 200 } });
  t.teardown(() => worker.stop({ deadline: 2_000 }));
  return worker;
}

/** A plain client's channel, for what a worker does not do. */
export async function channelOf(t: ExecutionContext, url?: string): Promise<Channel> {
  const connection = await connect(url ?? (await brokerUrl()));
  connection.on('error', () => {});
  t.teardown(() => connection.close().catch(() => {}));
  return connection.createChannel();
}

/** What the broker does differently from others. */
export async function capabilities(t: ExecutionContext): Promise<Capabilities> {
  const { connection } = await channelOf(t);
  return capabilitiesOf(connection.serverProperties);
}

/** Takes the job's queue and exchange away again. */
export async function removed(t: ExecutionContext, { queue, exchange }: JobType<string>): Promise<void> {
  const channel = await channelOf(t);
  t.teardown(async () => {
    await channel.deleteQueue(queue.name);
    if (exchange) await channel.deleteExchange(exchange);
  });
}

/** Waits until `condition` holds. */
export async function until(condition: () => unknown, ms = 45_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${String(condition)}`);
    await sleep(10);
  }
}

/** The most starts in any window [t, t + per); `starts` in order. */
export function densest(starts: readonly number[], per: number): number {
  let first = 0;
  let most = 0;
  for (const [last, start] of starts.entries()) {
    while ((starts[first] ?? start) + per <= start) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
