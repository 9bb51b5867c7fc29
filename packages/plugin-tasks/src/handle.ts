import { milliseconds } from '@warren/core';
import type { Clock, Duration } from '@warren/core';
import { TaskFailedError, TaskResultOmittedError, TaskResultTimeoutError, UnknownTaskError } from './errors.js';
import { isFinished } from './record.js';
import type { TaskRecord, TaskState } from './record.js';

/** What a handle asks of those who made it. */
export interface TaskAccess {
  record(id: string): Promise<TaskRecord | undefined>;
  /** Whether the first of them will not run. */
  cancel(ids: readonly string[]): Promise<boolean>;
  readonly clock: Clock;
}

export interface HandleOptions {
  /** Another task with the same unique key, or the same id, was there: this is its handle, and nothing was enqueued. */
  readonly duplicate?: boolean;
  /** The other tasks of its chain or group. */
  readonly flow?: readonly string[];
}

/** Between two looks at a record; milliseconds. Doubled up to the second. */
const POLL = { first: 20, longest: 1_000 } as const;

/** An enqueued task, or of a chain or group the last one. */
export class TaskHandle {
  readonly id: string;
  /** Another task with the same unique key, or the same id, was there: this is its handle, and nothing was enqueued. */
  readonly duplicate: boolean;
  /** The ids of the other tasks of its chain or group. */
  readonly flow: readonly string[];
  readonly #access: TaskAccess;

  constructor(id: string, access: TaskAccess, { duplicate = false, flow = [] }: HandleOptions = {}) {
    this.id = id;
    this.duplicate = duplicate;
    this.#access = access;
    this.flow = flow;
  }

  /** Rejects with `ERR_TASK_UNKNOWN` where there is no record. */
  async record(): Promise<TaskRecord> {
    const record = await this.#access.record(this.id);
    if (!record) throw new UnknownTaskError({ id: this.id });
    return record;
  }

  async state(): Promise<TaskState> {
    return (await this.record()).state;
  }

  /**
   * What the handler returned, once the task has succeeded. Rejects with `ERR_TASK_FAILED` when it has failed, died or been cancelled, and with
   * `ERR_TASK_RESULT_TIMEOUT` after `timeout` (milliseconds or text; default 30 seconds).
   */
  async result({ timeout = 30_000 }: { timeout?: Duration } = {}): Promise<unknown> {
    const { clock } = this.#access;
    const ms = milliseconds(timeout, 'timeout');
    const deadline = clock.monotonic() + ms;
    for (let wait: number = POLL.first; ; wait = Math.min(POLL.longest, wait * 2)) {
      const record = await this.record();
      if (isFinished(record)) return resultOf(record);
      const left = deadline - clock.monotonic();
      if (left <= 0) throw new TaskResultTimeoutError({ id: this.id, ms, state: record.state });
      await clock.sleep(Math.min(wait, left));
    }
  }

  /** Whether it will not run: true unless it has begun or has ended otherwise. Of a chain or group, nothing begins any more. */
  cancel(): Promise<boolean> {
    return this.#access.cancel([this.id, ...this.flow]);
  }
}

function resultOf({ id, state, error, result, resultOmitted }: TaskRecord): unknown {
  if (state !== 'succeeded') throw new TaskFailedError({ id, state, error });
  if (resultOmitted !== undefined) throw new TaskResultOmittedError({ id, why: resultOmitted });
  return result;
}
