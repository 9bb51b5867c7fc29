import { milliseconds } from '@warren/core';
import type { Duration, JobType, Outcome } from '@warren/core';

/**
 * Where a task is. `waiting`: for the tasks before it in its chain or group. `failed`: it has given up and nothing is left to replay,
 * or a task before it has. `dead`: its message is in the dead-letter queue; replayed, it runs again.
 */
export type TaskState =
  | 'waiting'
  | 'queued'
  | 'scheduled'
  | 'running'
  | 'retrying'
  | 'succeeded'
  | 'failed'
  | 'dead'
  | 'cancelled';

export const TASK_STATES: readonly TaskState[] = [
  'waiting',
  'queued',
  'scheduled',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'dead',
  'cancelled',
];

/** What is left of an error: bounded texts. */
export interface TaskError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
}

/** What the store knows of a task. Times are milliseconds since the epoch, by the clock of whoever wrote them. */
export interface TaskRecord {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: TaskState;
  /** Runs that have begun. */
  readonly attempts: number;
  readonly createdAt: number;
  /** When a delayed task or the next attempt is due. */
  readonly dueAt?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** `host:pid` of the worker that ran it last. */
  readonly worker?: string;
  /** Names the run that holds the record, while it is `running`. */
  readonly run?: string;
  /** Milliseconds that the run may give no sign of life. */
  readonly lease?: number;
  /** Runs in a row that ended with their workers, and not by themselves. */
  readonly lostRuns?: number;
  /** From 0 to 1. */
  readonly progress?: number;
  /** What the handler saved for its next attempt. */
  readonly checkpoint?: unknown;
  /** What the handler returned. */
  readonly result?: unknown;
  /** Why the result is not kept. */
  readonly resultOmitted?: string;
  /** Of the last attempt that failed. */
  readonly error?: TaskError;
  /** Where a waiting task is sent when its turn comes. */
  readonly address?: Address;
  /** The task that gets this one's result as its payload. */
  readonly next?: string;
  /** The group that waits for this task, and its place in it. */
  readonly join?: Membership;
}

export interface Address {
  readonly exchange: string;
  readonly routingKey: string;
  readonly contentType: string;
  readonly headers?: Record<string, unknown>;
  readonly priority?: number;
  readonly correlationId?: string;
}

export interface Membership {
  readonly group: string;
  readonly index: number;
}

const FINISHED: ReadonlySet<TaskState> = new Set<TaskState>(['succeeded', 'failed', 'dead', 'cancelled']);
const CANCELLABLE: ReadonlySet<TaskState> = new Set<TaskState>(['waiting', 'queued', 'scheduled', 'retrying']);

/** Nothing happens to it any more by itself. */
export function isFinished({ state }: TaskRecord): boolean {
  return FINISHED.has(state);
}

/** No worker has seen it: its message may be on its way, or lost with whoever enqueued it. */
export function isUnseen({ state, attempts }: TaskRecord): boolean {
  return (state === 'queued' || state === 'scheduled') && attempts === 0;
}

/** Whether more than people may ask for it: its message when that comes, its group for its result, its chain or group when it is replayed. */
export function isNeeded({ state, next, join, address }: TaskRecord): boolean {
  if (state === 'succeeded') return join !== undefined;
  if (state === 'dead' || state === 'failed') return next !== undefined || join !== undefined || address !== undefined;
  return true;
}

/** It has not begun, or waits for its next attempt. */
export function isCancellable({ state }: TaskRecord): boolean {
  return CANCELLABLE.has(state);
}

/** The record of a task that is being enqueued. */
export function queuedRecord(
  { id, task }: { id: string; task: JobType },
  { delay, at, now }: { delay?: Duration; at?: Date; now: number },
): TaskRecord {
  const dueAt = at ? at.getTime() : now + (delay === undefined ? 0 : milliseconds(delay, 'delay'));
  const record = { id, task: task.name, queue: task.queue.name, attempts: 0, createdAt: now };
  return dueAt > now ? { ...record, state: 'scheduled', dueAt } : { ...record, state: 'queued' };
}

/** The record without what belonged to a run or a wait that is over. */
export function settled(record: TaskRecord, change: Partial<TaskRecord> & Pick<TaskRecord, 'state'>): TaskRecord {
  const { run: _, lease: __, lostRuns: ___, dueAt: ____, ...kept } = record;
  return { ...kept, ...change };
}

const MAX_TEXT = 1_000;

/** Anything can be thrown. */
export function errorOf(thrown: unknown): TaskError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown).slice(0, MAX_TEXT) };
  const { code } = thrown as { code?: unknown };
  return {
    name: thrown.name.slice(0, MAX_TEXT),
    ...(typeof code === 'string' && { code: code.slice(0, MAX_TEXT) }),
    message: thrown.message.slice(0, MAX_TEXT),
  };
}

/** How an attempt's end changes the record. `dead` is for a queue that has a dead-letter queue, else there is nothing left to replay. */
export function endOf(
  record: TaskRecord,
  outcome: Outcome,
  { now, replayable }: { now: number; replayable: boolean },
): TaskRecord {
  const { kind } = outcome;
  if (kind === 'ack') {
    // Nothing resumes there any more, and with a result beside it the record could be too large.
    const { checkpoint: _, ...kept } = record;
    return settled(kept, { state: 'succeeded', finishedAt: now, progress: 1 });
  }
  if (kind === 'deadLetter') {
    return settled(record, { state: replayable ? 'dead' : 'failed', finishedAt: now, error: errorOf(outcome.error) });
  }
  const dueAt = now + (outcome.delay ?? 0);
  if (kind === 'retry') return settled(record, { state: 'retrying', dueAt, error: errorOf(outcome.error) });
  return settled(record, { state: record.attempts > 1 ? 'retrying' : 'queued', dueAt });
}
