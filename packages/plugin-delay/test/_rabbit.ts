// What the tests on a broker share: the broker as another client sees it, workers, queues of their own, and arrivals in time.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import type { Channel, ConfirmChannel } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { createWorker, defineJob } from '@warren/core';
import type { JobType, QueueOptions, Worker } from '@warren/core';
import { brokerUrl } from '@warren/test-broker';
import delay, { delayTopology } from '../src/index.js';
import type { DelayOptions } from '../src/index.js';

/** A prefix of nobody else's, for tests that fill or break what holds messages. */
export function ownPrefix(): string {
  return `t${randomUUID().slice(0, 8)}`;
}

/** A channel of nobody's worker. It ends with the test. */
export async function outsider(t: ExecutionContext, url?: string): Promise<ConfirmChannel> {
  const connection = await connect(url ?? (await brokerUrl()), { noDelay: true });
  connection.on('error', () => {});
  t.teardown(() => connection.close().catch(() => {}));
  return connection.createConfirmChannel();
}

/** A worker with the plugin. It is stopped with the test. */
export async function workerWith(t: ExecutionContext, options: DelayOptions = {}, url?: string): Promise<Worker> {
  const worker = createWorker({ url: url ?? (await brokerUrl()), prefetch: 100, plugins: [delay(options)] });
  t.teardown(() => worker.stop({ deadline: 2_000 }));
  return worker;
}

/** A job on a queue of its own: a classic one, which goes with its last consumer, unless `options` says otherwise. */
export function ownJob<P>(options: Partial<QueueOptions> = {}): JobType<P> {
  const queue: QueueOptions = { name: `delay-test.${randomUUID()}`, type: 'classic', autoDelete: true, ...options };
  return defineJob<P>('delayed', { queue });
}

/** A queue of nobody's worker, bound to nothing; it goes with the test's channel. */
export async function ownQueue(channel: Channel, name: string = `delay-test.${randomUUID()}`): Promise<string> {
  const { queue } = await channel.assertQueue(name, { exclusive: true });
  return queue;
}

/** A topic exchange; it goes with the test. */
export async function ownExchange(
  t: ExecutionContext,
  channel: Channel,
  name: string = `delay-test.${randomUUID()}`,
): Promise<string> {
  await channel.assertExchange(name, 'topic');
  t.teardown(() => channel.deleteExchange(name).catch(() => {}));
  return name;
}

/** Deletes what a prefix has declared, with the messages in it. */
export async function deleteDelays(channel: Channel, options: DelayOptions, exchanges: readonly string[] = []): Promise<void> {
  const { levels, queues, deliver, unroutable } = delayTopology(options);
  const relays = exchanges.map((name) => `${options.prefix}.v1.x.${name}`);
  for (const queue of [...queues.map(({ queue }) => queue), unroutable, ...relays]) await channel.deleteQueue(queue);
  for (const exchange of [...levels, deliver, unroutable]) await channel.deleteExchange(exchange);
}

/** When what was published arrived. Times are monotonic milliseconds. */
export class Arrivals {
  readonly #due = new Map<number, number>();
  readonly #waiting = new Map<number, () => void>();
  readonly order: number[] = [];
  /** Milliseconds after they were due; negative: early. */
  readonly late: number[] = [];

  /** The message is about to be published. */
  expect(id: number, delay: number): void {
    this.#due.set(id, performance.now() + delay);
  }

  arrived(id: number): void {
    const now = performance.now();
    this.order.push(id);
    this.late.push(now - (this.#due.get(id) ?? NaN));
    this.#waiting.get(id)?.();
  }

  /** Resolves when `count` have arrived. */
  async some(count: number): Promise<void> {
    while (this.order.length < count) await sleep(5);
  }

  /** Resolves when each of `ids` has arrived. The test's own timeout is the deadline. */
  async all(ids: readonly number[]): Promise<void> {
    const seen = new Set(this.order);
    await Promise.all(
      ids.filter((id) => !seen.has(id)).map((id) => new Promise<void>((resolve) => this.#waiting.set(id, resolve))),
    );
  }
}
