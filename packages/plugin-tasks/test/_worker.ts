import type { ExecutionContext } from 'ava';
import { silentLogger } from '@warren/core';
import type { Clock, Logger, WorkerOptions } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import tasks, { TASKS } from '../src/index.js';
import type { TaskRecord, TasksOptions } from '../src/index.js';

export interface TaskWorker {
  readonly worker: TestWorker;
  readonly store: Store;
  /** The record of a task. */
  readonly record: (id: string) => Promise<TaskRecord | undefined>;
  /** What was logged as a warning. */
  readonly warnings: string[];
}

/** A worker in memory with tasks, whose store goes by its virtual clock. */
export function taskWorker(t: ExecutionContext, options: TasksOptions = {}, more: WorkerOptions = {}): TaskWorker {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) };
  const clock: Clock = {
    now: () => worker.clock.now(),
    monotonic: () => worker.clock.monotonic(),
    schedule: (...given) => worker.clock.schedule(...given),
    sleep: (...given) => worker.clock.sleep(...given),
  };
  const store = createStore('memory:', { clock });
  const plugins = [delay(), tasks({ store, lease: '30s', ...options }), ...(more.plugins ?? [])];
  const worker = createTestWorker({ logger, ...more, plugins });
  t.teardown(() => worker.stop());
  return { worker, store, warnings, record: (id) => worker.resolve(TASKS).get(id) };
}

/** Resolves when called off. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
