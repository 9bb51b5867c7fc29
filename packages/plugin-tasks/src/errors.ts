// Every error of @warren/plugin-tasks.
import { ConfigurationError, JobError, UnrecoverableError, WorkerError } from '@warren/core';
import type { TaskError, TaskState } from './record.js';

export class NotATaskError extends ConfigurationError {
  readonly code = 'ERR_NOT_A_TASK';
  constructor(facts: { job: string }) {
    super(`"${facts.job}" is no task: define it with defineTask(), or with \`handling: { task: true }\`.`);
  }
}

export class TaskRecordsOffError extends ConfigurationError {
  readonly code = 'ERR_TASK_RECORDS_OFF';
  constructor(facts: { action: string }) {
    super(`Cannot ${facts.action}: task records are off. Leave out \`records: false\` in tasks(), and give it a store.`);
  }
}

export class UnknownTaskError extends WorkerError {
  readonly code = 'ERR_TASK_UNKNOWN';
  constructor(facts: { id: string }) {
    super(
      `There is no record of task "${facts.id}": it was never enqueued here, or its record has expired. Check the id and the store.`,
    );
  }
}

/** Of `result()`: the task did not succeed. */
export class TaskFailedError extends WorkerError {
  readonly code = 'ERR_TASK_FAILED';
  readonly state: TaskState;
  /** Of its last attempt. */
  readonly error: TaskError | undefined;
  constructor(facts: { id: string; state: TaskState; error: TaskError | undefined }) {
    const why = facts.error ? `: ${facts.error.name}: ${facts.error.message}` : '';
    super(`Task "${facts.id}" is ${facts.state}${why}`);
    this.state = facts.state;
    this.error = facts.error;
  }
}

export class TaskResultTimeoutError extends WorkerError {
  readonly code = 'ERR_TASK_RESULT_TIMEOUT';
  constructor(facts: { id: string; ms: number; state: TaskState }) {
    super(`Task "${facts.id}" has no result after ${facts.ms} ms: it is ${facts.state}. It goes on; ask again later.`);
  }
}

/** Of `result()`: it succeeded, and what it returned was too large to keep, or not JSON. */
export class TaskResultOmittedError extends WorkerError {
  readonly code = 'ERR_TASK_RESULT_OMITTED';
  constructor(facts: { id: string; why: string }) {
    super(`Task "${facts.id}" succeeded, but its result is not kept: ${facts.why}. Return less, or where the result is.`);
  }
}

/** Some of a batch were not enqueued; the others were. */
export class EnqueueManyError extends WorkerError {
  readonly code = 'ERR_ENQUEUE_MANY';
  /** By the payload's place in the batch. */
  readonly failures: ReadonlyMap<number, unknown>;
  constructor(facts: { count: number; failures: ReadonlyMap<number, unknown> }) {
    const [first] = facts.failures.values();
    const why = first instanceof Error ? first.message : String(first);
    super(`${facts.failures.size} of ${facts.count} tasks were not enqueued; the first because: ${why}`, { cause: first });
    this.failures = facts.failures;
  }
}

/** A task came too late to be worth running. */
export class TaskExpiredError extends UnrecoverableError {
  override readonly code = 'ERR_TASK_EXPIRED';
  constructor(facts: { task: string; expiredAt: number }) {
    super(`Task "${facts.task}" expired at ${new Date(facts.expiredAt).toISOString()}, before it could run.`);
  }
}

/** A task of a chain or group has no record in the worker's store: run here, it would leave what waits for it waiting for ever. */
export class TaskRecordMissingError extends UnrecoverableError {
  override readonly code = 'ERR_TASK_RECORD_MISSING';
  constructor(facts: { task: string; id: string | undefined }) {
    super(
      `Task "${facts.task}" (${facts.id}) belongs to a chain or group, and this worker has no record of it: it was enqueued with another store, ` +
        'or its record has expired. Give all workers and producers the same store, then replay it.',
    );
  }
}

/** A task's workers died while they ran it, or lost it, time and again. */
export class TaskLostError extends UnrecoverableError {
  override readonly code = 'ERR_TASK_LOST';
  constructor(facts: { task: string; runs: number }) {
    super(
      `Task "${facts.task}" did not survive ${facts.runs} runs in a row: its workers died or lost their leases. Look for what it does to them.`,
    );
  }
}

/** Another task waits for the result, and it cannot be handed on. */
export class TaskResultError extends UnrecoverableError {
  override readonly code = 'ERR_TASK_RESULT';
  constructor(facts: { task: string; why: string }) {
    super(`Task "${facts.task}" has a task after it, which cannot get its result: ${facts.why}.`);
  }
}

/** A task before this one in its chain or group did not succeed. */
export class TaskBeforeFailedError extends JobError {
  readonly code = 'ERR_TASK_BEFORE_FAILED';
  constructor(facts: { id: string; state: TaskState }) {
    super(`Task "${facts.id}", which comes before this one, is ${facts.state}.`);
  }
}

/** In the records of a chain or group whose enqueuing has failed. */
export class FlowNotEnqueuedError extends WorkerError {
  readonly code = 'ERR_FLOW_NOT_ENQUEUED';
  constructor(facts: { cause: unknown }) {
    const why = facts.cause instanceof Error ? facts.cause.message : String(facts.cause);
    super(`The chain or group was not enqueued: ${why} Enqueue it again under the same id.`, facts);
  }
}
