// @warren/plugin-tasks: persistent task queues. How they work: docs/tasks.md. `delay` and `at`, of plugin-delay, are options of `enqueue`.
/// <reference types="@warren/plugin-delay" preserve="true" />
import type { Duration, JobType } from '@warren/core';
import type { Chain, GroupFlow } from './flow.js';
import type { TaskHandle } from './handle.js';
import type { ScheduleOptions } from './schedule/options.js';
import type { TaskSettings } from './task.js';
import type { EnqueueOptions } from './enqueuing.js';

export { default } from './plugin.js';
export * from './errors.js';
export { chain, group } from './flow.js';
export type { Chain, Group, GroupFlow, Member } from './flow.js';
export { TaskHandle } from './handle.js';
export type { TasksOptions } from './options.js';
export { TASK_STATES } from './record.js';
export type { TaskError, TaskRecord, TaskState } from './record.js';
export { schedulesOf, tickId } from './schedule/options.js';
export type { Missed, Schedule, ScheduleOptions } from './schedule/options.js';
export { defineTask } from './task.js';
export type { TaskOptions, TaskSettings } from './task.js';
export { TASKS, Tasks } from './tasks.js';
export type { EnqueueOptions } from './enqueuing.js';
export type { TaskFilter } from './tasks.js';
export type { UniqueOptions } from './unique.js';

declare module '@warren/core' {
  interface HandlerOptions {
    /** The job is a task: it has a record, with settings or without. Set by `defineTask`. */
    task?: boolean | TaskSettings;
    /** Enqueues the task at recurring times, once for all workers that handle it. */
    schedule?: ScheduleOptions | readonly ScheduleOptions[];
  }

  interface PublishOptions {
    /** Milliseconds, or text, after which a task is not run any more but dead-lettered. */
    expiresIn?: Duration;
  }

  interface Worker {
    /** A chain's `payload` is its first task's; the handle is of its last one. */
    enqueue<I>(flow: Chain<I>, payload: NoInfer<I>, options?: EnqueueOptions): Promise<TaskHandle>;
    /** A group's payloads are its members'; the handle is of the task that comes after it. */
    enqueue(flow: GroupFlow, payload?: undefined, options?: EnqueueOptions): Promise<TaskHandle>;
    /** Publishes a task and keeps a record of it; resolves with its handle when the broker has confirmed it. */
    enqueue<P, I>(task: JobType<P, I>, payload: NoInfer<I>, options?: EnqueueOptions): Promise<TaskHandle>;
    /** Publishes tasks at once and waits for all their confirms. Rejects with `ERR_ENQUEUE_MANY`, which says which were not enqueued. */
    enqueueMany<P, I>(task: JobType<P, I>, payloads: ReadonlyArray<NoInfer<I>>, options?: EnqueueOptions): Promise<TaskHandle[]>;
  }

  // oxlint-disable-next-line no-unused-vars -- the type parameters of a merged declaration have to be the same.
  interface Job<P = unknown> {
    /** Of a task: says how much of it is done, from 0 to 1, for `worker tasks` and `handle.record()`. Never rejects. */
    progress(fraction: number): Promise<void>;
    /** Of a task: saves where it is; the next attempt finds it in `checkpointed`. JSON of up to 200 KiB. Rejects with `ERR_STORE_LIMIT`, `ERR_LEASE_LOST` (also when the attempt is over), or as the store does. */
    checkpoint(state: unknown): Promise<void>;
    /** Of a task: what the attempt before saved. */
    checkpointed: unknown;
  }
}
