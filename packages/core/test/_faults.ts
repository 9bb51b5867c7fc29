// What the tests of faults share: one private node for each file, workers with short times, and the broker as seen from outside.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { connect } from 'amqplib';
import type { ChannelModel } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { startProxy, startRabbit } from '@warren/rabbitmq-node';
import type { FaultyProxy, RabbitNode } from '@warren/rabbitmq-node';
import { createWorker, defineJob } from '../src/index.js';
import type { JobType, QueueOptions, Worker, WorkerEventMap, WorkerOptions } from '../src/index.js';

let started: Promise<RabbitNode> | undefined;

/** The file's own node, started at the first call: its tests break it, one after the other. It ends with the file. */
export function ownNode(): Promise<RabbitNode> {
  started ??= startRabbit();
  return started;
}

export async function proxied(t: ExecutionContext): Promise<{ node: RabbitNode; proxy: FaultyProxy; url: string }> {
  const node = await ownNode();
  const proxy = await startProxy(node);
  t.teardown(() => proxy.close());
  return { node, proxy, url: proxy.url(node.url) };
}

/** A worker that notices and repairs quickly. It is stopped with the test. */
export function workerOn(t: ExecutionContext, url: string, options: WorkerOptions = {}): Worker {
  const worker = createWorker({
    url,
    reconnect: { initial: 50, max: 300 },
    brokerTimeout: 3_000,
    startTimeout: 5_000,
    publishTimeout: 20_000,
    ...options,
  });
  t.teardown(() => worker.stop({ deadline: 1_000 }));
  return worker;
}

/** A job on a queue of its own: durable and classic, because a quorum queue that is younger than 3 s does not outlive kill -9. */
export function jobOn(options: Partial<QueueOptions> = {}): JobType<number> {
  const queue: QueueOptions = { name: `faults.${randomUUID()}`, type: 'classic', deadLetter: false, ...options };
  return defineJob<number>('numbered', { queue });
}

type Event = keyof WorkerEventMap;

export interface Recorded<E extends Event = Event> {
  readonly event: E;
  readonly facts: WorkerEventMap[E][0];
}

/** All that a worker announces from now on, in order. */
export function record(worker: Worker): {
  all: Recorded[];
  of<E extends Event>(event: E): Array<NonNullable<WorkerEventMap[E][0]>>;
} {
  const all: Recorded[] = [];
  const events: Event[] = ['connected', 'disconnected', 'reconnecting', 'alarm', 'blocked', 'unblocked', 'fault'];
  for (const event of events) worker.on(event, (facts?: unknown) => all.push({ event, facts } as Recorded));
  return { all, of: (event) => all.filter((one) => one.event === event).map(({ facts }) => facts as never) };
}

/** Resolves with the facts of the next such event. */
export function next<E extends Event>(
  worker: Worker,
  event: E,
  matches: (facts: WorkerEventMap[E][0]) => boolean = () => true,
): Promise<WorkerEventMap[E][0]> {
  return new Promise((resolve) => {
    const listener = (facts: WorkerEventMap[E][0]): void => {
      if (!matches(facts)) return;
      worker.off(event, listener as never);
      resolve(facts);
    };
    worker.on(event, listener as never);
  });
}

/** Resolves when `condition` holds; looked at every 20 ms. The test's own timeout is its deadline. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A connection of nobody's worker: the broker as another client sees it. */
export async function outsider(t: ExecutionContext, url: string): Promise<ChannelModel> {
  const model = await connect(url);
  model.on('error', () => {});
  t.teardown(() => model.close().catch(() => {}));
  return model;
}

/** Takes all that is ready in a queue: the message ids, in order. */
export async function taken(model: ChannelModel, queue: string): Promise<string[]> {
  const channel = await model.createChannel();
  const ids: string[] = [];
  for (let message = await channel.get(queue, { noAck: true }); message; message = await channel.get(queue, { noAck: true })) {
    ids.push(String(message.properties.messageId));
  }
  await channel.close();
  return ids;
}

/** How many consume a queue; 0 while there is no such queue. */
export async function consumerCount(model: ChannelModel, queue: string): Promise<number> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  try {
    const { consumerCount: count } = await channel.checkQueue(queue);
    await channel.close();
    return count;
  } catch {
    return 0;
  }
}

async function rows(node: RabbitNode, ...command: string[]): Promise<string[][]> {
  const printed = await node.ctl(...command, '--silent');
  return printed
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'));
}

/** The tag of a queue's only consumer. */
export async function consumerTag(node: RabbitNode, queue: string): Promise<string | undefined> {
  const consumers = await rows(node, 'list_consumers');
  return consumers.find(([name]) => name === queue)?.[2];
}

/** The broker's names for its connections; new ones have new names. */
export async function connections(node: RabbitNode): Promise<string[]> {
  const listed = await rows(node, 'list_connections', 'pid');
  return listed.map(([pid = '']) => pid).toSorted();
}

/** The connection that a queue is consumed on. */
export async function consumingConnection(node: RabbitNode, queue: string): Promise<string | undefined> {
  const consumers = await rows(node, 'list_consumers');
  const pid = consumers.find(([name]) => name === queue)?.[1];
  const channels = await rows(node, 'list_channels', 'pid', 'connection');
  return channels.find(([channel]) => channel === pid)?.[1];
}

/** How often `deliver` was called with each value, and a way to wait for it. */
export class Tally {
  readonly seen: number[] = [];

  add(value: number): void {
    this.seen.push(value);
  }

  count(value: number): number {
    return this.seen.filter((one) => one === value).length;
  }

  reaches(value: number, times = 1): Promise<void> {
    return until(() => this.count(value) >= times);
  }
}

/** A promise and its end. */
export function latch(): { passed: Promise<void>; release: () => void } {
  const opened = new EventEmitter();
  return { passed: once(opened, 'open').then(() => undefined), release: () => void opened.emit('open') };
}

/** A worker in a process of its own. `stop` resolves with its stop's and its process's time, in milliseconds: nothing must keep the process alive. */
export interface Child {
  readonly pid: number;
  stop(deadline: number): Promise<{ stopped: number; exited: number; code: number | null }>;
  /** Resolves when the worker has announced `event`. */
  announces(event: string): Promise<void>;
}

export async function childOn(t: ExecutionContext, options: WorkerOptions, queue: string): Promise<Child> {
  const child = fork(new URL('_stopping-worker.js', import.meta.url), { execArgv: [] });
  t.teardown(() => child.kill('SIGKILL'));
  child.send({ options, queue });
  const announces = async (event: string): Promise<void> => {
    for (;;) {
      const [message] = (await once(child, 'message')) as [{ event?: string }];
      if (message.event === event) return;
    }
  };
  await announces('started');
  return {
    pid: child.pid ?? 0,
    announces,
    stop: async (deadline) => {
      const from = performance.now();
      const exit = once(child, 'exit');
      child.send({ deadline });
      await announces('stopped');
      const stopped = performance.now() - from;
      const [code] = (await exit) as [number | null];
      return { stopped, exited: performance.now() - from, code };
    },
  };
}
