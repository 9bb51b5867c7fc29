import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defineJob, exponential, InvalidOptionError, milliseconds, requireJobType } from '@warren/core';
import type { Duration, HandlerOptions, Job, JobType, JobTypeOptions, PublishOptions, QueueOptions } from '@warren/core';
import { NotATaskError } from './errors.js';

/** When a task is too late to be worth running, in milliseconds since the epoch. */
export const EXPIRES_AT = 'x-task-expires-at';

/** What makes a job's handler a task's. */
export interface TaskSettings {
  /** The default of `expiresIn` for each enqueue; milliseconds or text. Default: never. */
  expiresIn?: Duration;
}

/** A job's options, those of its handler, and what only tasks have. */
export interface TaskOptions extends Omit<JobTypeOptions, 'handling'>, Omit<HandlerOptions, 'task'>, TaskSettings {
  /**
   * The highest priority that its messages can have, 1 to 255: makes the queue a classic one with `x-max-priority`
   * (rabbitmq.com/docs/priority). Without it priorities 5 and up go first on quorum queues of RabbitMQ 4, and nothing does on RabbitMQ 3.
   */
  priorities?: number;
}

const JOB_OPTIONS = ['queue', 'codec', 'exchange', 'routingKey', 'bindings', 'schema'] as const;

/** Defines a task: a job with a durable queue and a dead-letter queue, whose retries back off exponentially, and which has a record. Handler options given here hold for whoever handles it. */
export function defineTask<S extends StandardSchemaV1>(
  name: string,
  options: TaskOptions & { schema: S },
): JobType<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>;
export function defineTask<P = unknown>(name: string, options: TaskOptions): JobType<P>;
export function defineTask(name: string, options: TaskOptions & { schema?: StandardSchemaV1 }): JobType {
  const { expiresIn, priorities, ...rest } = options;
  const job = Object.fromEntries(Object.entries(rest).filter(([key]) => isJobOption(key))) as unknown as JobTypeOptions;
  const given = Object.fromEntries(Object.entries(rest).filter(([key]) => !isJobOption(key))) as HandlerOptions;
  const handling = { retry: exponential(), ...given, task: expiresIn === undefined || { expiresIn } };
  taskSettingsOf({ name, handling });
  return defineJob(name, {
    ...job,
    queue: priorities === undefined ? job.queue : withPriorities(job.queue, priorities),
    handling,
  });
}

function isJobOption(key: string): boolean {
  return (JOB_OPTIONS as readonly string[]).includes(key);
}

function withPriorities(given: string | QueueOptions, priorities: number): QueueOptions {
  const queue = typeof given === 'string' ? { name: given } : given;
  const isPriority = Number.isSafeInteger(priorities) && priorities >= 1 && priorities <= 255;
  if (!isPriority)
    throw new InvalidOptionError({ option: 'priorities', expected: 'a whole number from 1 to 255', got: priorities });
  if (queue.type === 'quorum') {
    throw new InvalidOptionError({ option: 'priorities', expected: 'a classic queue', got: `the quorum queue "${queue.name}"` });
  }
  return { ...queue, type: 'classic', arguments: { 'x-max-priority': priorities, ...queue.arguments } };
}

/** Throws `ERR_INVALID_OPTION` for what is no task, and `ERR_NOT_A_TASK` for a job that is none. */
export function requireTask(given: unknown, option: string, expected = 'a task, made by defineTask'): asserts given is JobType {
  requireJobType(given, option, expected);
  taskSettingsOf(given);
}

/** The settings of a job that is a task. Throws `ERR_NOT_A_TASK`, and `ERR_INVALID_OPTION` for settings that are wrong. */
export function taskSettingsOf({ name, handling: { task } }: Pick<JobType, 'name' | 'handling'>): TaskSettings {
  if (!task) throw new NotATaskError({ job: name });
  if (task === true) return {};
  const isKnown = typeof task === 'object' && Object.keys(task).every((key) => key === 'expiresIn');
  if (!isKnown) throw new InvalidOptionError({ option: `task of "${name}"`, expected: 'true, or { expiresIn }', got: task });
  if (task.expiresIn !== undefined) milliseconds(task.expiresIn, `expiresIn of task "${name}"`);
  return task;
}

/** The header that says when a message expires, for an enqueue or publish with `expiresIn`. */
export function expiry({ expiresIn }: Pick<PublishOptions, 'expiresIn'>, now: number): Record<string, number> {
  return expiresIn === undefined ? {} : { [EXPIRES_AT]: now + Math.ceil(milliseconds(expiresIn, 'expiresIn')) };
}

/** When the message has expired, if it has. */
export function expiredAt({ headers }: Pick<Job, 'headers'>, now: number): number | undefined {
  const at = headers[EXPIRES_AT];
  return typeof at === 'number' && at <= now ? at : undefined;
}
