// What the tests on the virtual clock share.
import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { defineJob } from '@warren/core';
import type { JobType, Message, Outcome, Plugin, Publish } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker, VirtualClock } from '@warren/core/testing';
import rateLimit from '../src/index.js';
import type { RateLimitPluginOptions } from '../src/index.js';
import type { ExecutionContext } from 'ava';

export function jobNamed(name = 'task'): JobType<number> {
  return defineJob<number>(name, { queue: `ratelimit.${randomUUID()}` });
}

/** A worker that is stopped with the test; without the slow start, unless asked for. */
export function workerWith(
  t: ExecutionContext,
  options: RateLimitPluginOptions = {},
  others: readonly Plugin[] = [],
): TestWorker {
  const worker = createTestWorker({ prefetch: 1_000, plugins: [...others, rateLimit({ slowStart: false, ...options })] });
  t.teardown(async () => {
    const stopped = worker.stop({ deadline: 100 });
    await worker.clock.advance(200);
    await stopped;
  });
  return worker;
}

/** The smallest plugin that owns `delay`: it takes note of what it is asked to hold. */
export function holding(held: Message[]): Plugin {
  return {
    name: 'delay',
    publishOptions: ['delay'],
    publish: (next: Publish): Publish => {
      return async (message) => {
        if (!('delay' in message.options)) return next(message);
        held.push(message);
      };
    },
  };
}

/** Outcomes as they come. */
export function collect(outcomes: Array<Promise<Outcome>>): Outcome[] {
  const ended: Outcome[] = [];
  for (const outcome of outcomes) void outcome.then((result) => ended.push(result));
  return ended;
}

/** Lets everything that can happen now happen. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

/** Lets time pass until `work` is done. */
export async function elapsing<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  void work.then(
    () => over.abort(),
    () => over.abort(),
  );
  while (!over.signal.aborted) await clock.advance(1);
  return work;
}
