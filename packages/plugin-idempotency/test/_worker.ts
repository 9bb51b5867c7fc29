// What the tests on the virtual clock share.
import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { defineJob } from '@warren/core';
import type { JobType, Logger, Outcome, Plugin } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import { createStore, Records, STORE } from '@warren/store';
import type { ExecutionContext } from 'ava';
import idempotency from '../src/index.js';
import type { IdempotencyPluginOptions } from '../src/index.js';
import type { KeyRecord } from '../src/record.js';
import { BreakableStore } from './_store.js';

export interface Order {
  readonly id: number;
}

export function jobNamed(name = 'pay'): JobType<Order> {
  return defineJob<Order>(name, { queue: `idempotency.${randomUUID()}` });
}

/** What a logger was told: level and message. */
export class Log implements Logger {
  readonly lines: string[] = [];
  trace = (): void => {};
  debug = (_: object, message: string): void => void this.lines.push(`debug ${message}`);
  info = (_: object, message: string): void => void this.lines.push(`info ${message}`);
  warn = (_: object, message: string): void => void this.lines.push(`warn ${message}`);
  error = (_: object, message: string): void => void this.lines.push(`error ${message}`);

  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }
}

export interface Bench {
  readonly worker: TestWorker;
  readonly store: BreakableStore;
  readonly records: Records<KeyRecord>;
  readonly log: Log;
}

/** A worker with a store in memory, both on one virtual clock; it is stopped with the test. */
export function benchWith(
  t: ExecutionContext,
  options: IdempotencyPluginOptions = {},
  others: readonly Plugin[] = [delay()],
): Bench {
  const log = new Log();
  const worker = createTestWorker({ logger: log, plugins: [...others, idempotency(options)] });
  const store = new BreakableStore(createStore('memory:', { clock: worker.clock }));
  worker.container.register(STORE, { useValue: store });
  t.teardown(async () => {
    store.broken = undefined;
    const stopped = worker.stop({ deadline: 100 });
    await worker.clock.advance(200);
    await stopped;
  });
  return { worker, store, records: new Records(store, 'idempotency/'), log };
}

/** The names that a job's keys have in the store, below the prefix. */
export function nameIn({ queue, name }: JobType<Order>, key: string): string {
  return `${queue.name}/${name}/${key}`;
}

/** A run of a handler that ends when it is told to. */
export class Runs {
  readonly all: Array<{
    readonly fence: number | undefined;
    readonly end: (result?: unknown) => void;
    readonly fail: (error: Error) => void;
  }> = [];

  readonly handler = ({ fence }: { fence: number | undefined }): Promise<unknown> =>
    new Promise((resolve, reject) => this.all.push({ fence, end: resolve, fail: reject }));
}

/** Outcomes as they come. */
export function collect(outcomes: ReadonlyArray<Promise<Outcome>>): Outcome[] {
  const ended: Outcome[] = [];
  for (const outcome of outcomes) void outcome.then((result) => ended.push(result));
  return ended;
}

/** Lets everything that can happen now happen. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 8; turns++) await turn();
}

/** A worker in whose handler the first job with the key `m` is. */
export async function running(...given: Parameters<typeof benchWith>): Promise<Bench & Running> {
  const bench = benchWith(...given);
  const [job, runs] = [jobNamed(), new Runs()];
  bench.worker.handle(job, runs.handler);
  const first = bench.worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await settle();
  return { ...bench, job, runs, first };
}

export interface Running {
  readonly job: JobType<Order>;
  readonly runs: Runs;
  readonly first: Promise<Outcome>;
}
