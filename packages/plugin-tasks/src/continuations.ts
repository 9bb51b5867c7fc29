// What comes after a task: the next one of its chain, or what its group waits for. Safe to be done twice: a task's message may be sent
// again, but its record lets it run once to the end.
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigurationError, MessageInvalidError } from '@warren/core';
import type { Logger, OutgoingMessage } from '@warren/core';
import { LONGEST_TTL } from '@warren/store';
import type { Records } from '@warren/store';
import { TaskBeforeFailedError } from './errors.js';
import { memberId } from './flow.js';
import type { PlannedGroup } from './flow.js';
import { allInParallel } from './parallel.js';
import { settled } from './record.js';
import type { Membership, TaskRecord } from './record.js';
import type { TaskRecords } from './task-records.js';

/** A group, as the store keeps it. `done` has a bit for each member that has succeeded, in hexadecimal. */
export interface GroupRecord extends PlannedGroup {
  readonly done: string;
}

export interface ContinuationsParts {
  readonly tasks: TaskRecords;
  readonly groups: Records<GroupRecord>;
  readonly send: (message: OutgoingMessage) => Promise<void>;
  readonly ttl: number;
  readonly logger: Logger;
}

/** Members that end together change one record: who comes second waits a random moment of at most so many milliseconds. */
const CONTENTION_PAUSE = 20;

export class Continuations {
  readonly #parts: ContinuationsParts;

  constructor(parts: ContinuationsParts) {
    this.#parts = parts;
  }

  /** `wait`: milliseconds until the group's tasks are due. */
  async begin(group: PlannedGroup, wait: number): Promise<void> {
    const done = Buffer.alloc(Math.ceil(group.size / 8)).toString('hex');
    await this.#parts.groups.putIfAbsent(group.id, { ...group, done }, { ttl: Math.min(LONGEST_TTL, wait + this.#parts.ttl) });
  }

  /** A task has succeeded: what waits for it gets its result. */
  async proceed({ next, join, result }: TaskRecord): Promise<void> {
    if (next !== undefined) await this.#release(next, result);
    if (join) await this.#count(join);
  }

  /** A task will not succeed: what waits for it does not either, unless the task is replayed. */
  async abandon({ id, state, next, join }: TaskRecord): Promise<void> {
    const waiting = next ?? (join && (await this.#parts.groups.get(join.group))?.value.next);
    if (waiting !== undefined) await this.#fail(waiting, new TaskBeforeFailedError({ id, state }), 'waiting');
  }

  async #fail(id: string, error: Error, from: 'waiting' | 'queued'): Promise<void> {
    const failed = await this.#parts.tasks.fail(id, error, from);
    if (failed?.state === 'failed') await this.abandon(failed);
  }

  /** Sends a task that has waited. One that was sent before is sent again: whether it arrived is not known. */
  async #release(id: string, payload: unknown): Promise<void> {
    const record = await this.#parts.tasks.change(id, (found) => (isReleasable(found) ? released(found) : undefined));
    if (!record?.address) {
      this.#parts.logger.error({ task: id }, 'a task’s turn has come, and its record is gone');
      return;
    }
    if (record.state !== 'queued') return;
    const { exchange, routingKey, ...properties } = record.address;
    const content = JSON.stringify(payload) ?? 'null';
    try {
      await this.#parts.send({ exchange, routingKey, content, properties: { ...properties, type: record.task, messageId: id } });
    } catch (error) {
      // Such as the results of a group that are too large for the broker in all: it would be tried for ever.
      if (!(error instanceof MessageInvalidError || error instanceof ConfigurationError)) throw error;
      this.#parts.logger.error({ err: error, task: id }, 'a task’s turn has come, and it can never be sent');
      await this.#fail(id, error, 'queued');
    }
  }

  async #count({ group: id, index }: Membership): Promise<void> {
    const { groups, ttl } = this.#parts;
    for (;;) {
      const entry = await groups.get(id);
      if (!entry) {
        this.#parts.logger.error({ group: id }, 'a task of a group has succeeded, and the group’s record is gone');
        return;
      }
      const done = Buffer.from(entry.value.done, 'hex');
      const counted = isSet(done, index);
      set(done, index);
      const value = { ...entry.value, done: done.toString('hex') };
      if (counted || (await groups.replaceIfVersion(id, entry.version, { value, ttl })) !== undefined) {
        return isComplete(done, value.size) ? this.#release(value.next, await this.#results(value)) : undefined;
      }
      await pause(Math.random() * CONTENTION_PAUSE);
    }
  }

  async #results({ id, size }: GroupRecord): Promise<unknown[]> {
    const results: unknown[] = [];
    const members = Array.from({ length: size }, (_, index) => index);
    await allInParallel(members, async (index) => {
      results[index] = (await this.#parts.tasks.get(memberId(id, index)))?.value.result ?? null;
    });
    return results;
  }
}

/** One that failed with what was before it has never run. */
function isReleasable({ state, attempts }: TaskRecord): boolean {
  return state === 'waiting' || (state === 'failed' && attempts === 0);
}

/** Without the failure that a replay has undone. */
function released(record: TaskRecord): TaskRecord {
  const { finishedAt: _, error: __, ...kept } = record;
  return settled(kept, { state: 'queued' });
}

function isSet(bits: Buffer, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function set(bits: Buffer, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
}

function isComplete(bits: Buffer, size: number): boolean {
  return Array.from({ length: size }, (_, index) => index).every((index) => isSet(bits, index));
}
