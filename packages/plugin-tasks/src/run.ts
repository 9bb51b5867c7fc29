// One delivery of a task: claim its record, run the handler, write down how it ended, hand its result on. The record is written before
// the message is settled: whatever dies in between, the message comes again and finds what has been done.
import { ack, deadLetter, decided, done, failed, JobAbortedError, postpone, requeue } from '@warren/core';
import type { Clock, Consume, HandlerInfo, Job, Logger, Outcome } from '@warren/core';
import type { Lease, RecordEntry } from '@warren/store';
import { TaskExpiredError, TaskLostError, TaskRecordMissingError } from './errors.js';
import { equip } from './job.js';
import { isOfFlow } from './flow.js';
import { endOf, isFinished } from './record.js';
import type { TaskRecord } from './record.js';
import { resultOf } from './result.js';
import { expiredAt } from './task.js';
import type { TaskRecords } from './task-records.js';
import type { Continuations } from './continuations.js';

export interface TaskRunnerParts {
  readonly next: Consume;
  readonly info: HandlerInfo;
  readonly records: TaskRecords;
  readonly continuations: Continuations;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxResultBytes: number;
}

/** Before a task comes again whose record could not be read or written, or whose result could not be handed on; milliseconds. */
const PAUSE = 5_000;

/** Before a task that another worker runs is looked at again, at the latest; milliseconds. */
const LONGEST_WAIT = 5_000;

/**
 * Runs in a row that may end with their workers. The queue's delivery limit does not see them all: a message that finds the dead worker's
 * lease goes back as a copy, whose deliveries are counted anew.
 */
const MOST_LOST_RUNS = 10;

/** The layer around a task's handler, where tasks have records. */
export class TaskRunner {
  readonly #parts: TaskRunnerParts;
  readonly #unrecorded: Consume;

  constructor(parts: TaskRunnerParts) {
    this.#parts = parts;
    this.#unrecorded = unrecorded(parts.next, parts.clock);
  }

  /** Without an id there is nothing to keep a record under. */
  async run(job: Job): Promise<Outcome> {
    const id = job.messageId;
    if (id === undefined) return this.#unrecorded(job);
    const claim = await this.#orLater(
      id,
      this.#parts.records.claim(job, id, (lost) => job.abort(lost)),
    );
    if (!claim) return postpone(PAUSE);
    if (claim.kind === 'missing') return missing(job);
    if (claim.kind === 'busy') return postpone(Math.min(claim.wait, LONGEST_WAIT));
    return claim.kind === 'run' ? this.#attempt(job, claim.lease) : this.#over(claim.entry);
  }

  #over(entry: RecordEntry<TaskRecord>): Promise<Outcome> {
    const record = entry.value;
    return record.state === 'cancelled' ? this.#cancelled(entry) : this.#handOn(record, done(record.result));
  }

  /** Whoever cancelled it may have died before what waits for it was told. */
  async #cancelled(entry: RecordEntry<TaskRecord>): Promise<Outcome> {
    const { records, continuations } = this.#parts;
    const told = continuations.abandon(entry.value).then(() => records.expire(entry));
    const settled = await this.#orLater(
      entry.value.id,
      told.then(() => ack),
    );
    return settled ?? postpone(PAUSE);
  }

  async #attempt(job: Job, lease: Lease<TaskRecord>): Promise<Outcome> {
    const { clock, records, info, maxResultBytes } = this.#parts;
    equip(job, lease);
    const { outcome, ...result } = resultOf(await this.#outcome(job, lease.value), lease.value, maxResultBytes);
    const at = { now: clock.now(), replayable: info.job.queue.deadLetter !== undefined };
    const end = (record: TaskRecord): TaskRecord => ({ ...endOf(record, outcome, at), ...result });
    const ended = await this.#orLater(
      lease.value.id,
      lease.end(end, { ttl: records.ttlOf(end(lease.value)) }).then(() => lease.value),
    );
    return ended ? this.#handOn(ended, outcome) : postpone(PAUSE);
  }

  /** How the attempt has ended, decided here and not by the dispatcher: the record tells it. */
  async #outcome(job: Job, record: TaskRecord): Promise<Outcome> {
    const outcome = expiry(job, this.#parts.clock) ?? lost(record) ?? (await run(this.#parts.next, job));
    if (outcome.kind !== 'ack' && isGivenBack(job)) return requeue;
    return outcome.kind === 'retry' ? decided(outcome, job.attempt, this.#parts.info.policy) : outcome;
  }

  /** The task's message stays until what comes after the task has been sent. */
  async #handOn(record: TaskRecord, outcome: Outcome): Promise<Outcome> {
    const { continuations } = this.#parts;
    if (!isFinished(record)) return outcome;
    const handedOn = record.state === 'succeeded' ? continuations.proceed(record) : continuations.abandon(record);
    const settled = await this.#orLater(
      record.id,
      handedOn.then(() => outcome),
    );
    return settled ?? postpone(PAUSE);
  }

  /** Undefined, and a line in the log, where `work` fails: no failure of the task's, so that it is not charged. */
  async #orLater<T>(id: string, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.#parts.logger.warn(
        { err: error, task: id },
        'the task comes again: its record or what follows it could not be written',
      );
      return undefined;
    }
  }
}

/** The layer around a task's handler, where tasks have no records. */
export function unrecorded(next: Consume, clock: Clock): Consume {
  return (job) => {
    equip(job, undefined);
    if (isOfFlow(job)) return missing(job);
    return expiry(job, clock) ?? next(job);
  };
}

function expiry(job: Job, clock: Clock): Outcome | undefined {
  const at = expiredAt(job, clock.now());
  return at === undefined ? undefined : deadLetter(new TaskExpiredError({ task: job.name, expiredAt: at }));
}

function missing({ name: task, messageId: id }: Job): Outcome {
  return deadLetter(new TaskRecordMissingError({ task, id }));
}

function lost({ task, lostRuns: runs = 0 }: TaskRecord): Outcome | undefined {
  return runs < MOST_LOST_RUNS ? undefined : deadLetter(new TaskLostError({ task, runs }));
}

async function run(next: Consume, job: Job): Promise<Outcome> {
  try {
    return await next(job);
  } catch (error) {
    return failed(error);
  }
}

/** Its message comes again as it was, whatever the handler says: the worker has stopped, or the message's channel has closed. */
function isGivenBack({ delivery, signal }: Job): boolean {
  return delivery.lost || signal.reason instanceof JobAbortedError;
}
