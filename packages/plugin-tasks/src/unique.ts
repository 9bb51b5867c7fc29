// One task at a time for each key. A record under the key names the task that has it; whether it still has is read from that task's own
// record, so that nothing needs to be given back.
import { createHash } from 'node:crypto';
import { InvalidOptionError } from '@warren/core';
import type { JobType } from '@warren/core';
import type { RecordEntry, Records } from '@warren/store';
import { isCancellable, isFinished, isUnseen } from './record.js';
import type { TaskRecord } from './record.js';
import type { TaskRecords } from './task-records.js';

export interface UniqueOptions {
  /** Tasks of the same name and queue that have the same key are one. */
  key: string;
  /** How long the key is taken: until the task has `started`, or has `finished` (succeeded, failed, died, been cancelled). Default `finished`. */
  until?: 'started' | 'finished';
  /** True puts the new task in the place of one that has not begun, for example with another payload or delay. Default false. */
  replace?: boolean;
}

/** Who has a key. */
export interface UniqueRecord {
  readonly id: string;
  readonly until: 'started' | 'finished';
  /** The broker has confirmed its message. */
  readonly sent: boolean;
}

export interface UniqueParts {
  readonly keys: Records<UniqueRecord>;
  readonly tasks: TaskRecords;
}

/** A task that wants a key. */
export interface Claimant {
  readonly id: string;
  readonly task: JobType;
  readonly unique: UniqueOptions;
  readonly ttl: number;
}

/** Milliseconds after which whoever took a key, and has not sent its task, is taken for dead: no publish waits as long for its confirm, unless told to. */
const SENDING = 300_000;

export class UniqueKeys {
  readonly #parts: UniqueParts;

  constructor(parts: UniqueParts) {
    this.#parts = parts;
  }

  /** The id of the task that has the key already; undefined when it is the claimant's now, or will be by `replace`. */
  async take(claimant: Claimant): Promise<string | undefined> {
    for (;;) {
      const held = await this.#parts.keys.get(keyOf(claimant.task, claimant.unique.key));
      const holder = held && held.value.id !== claimant.id ? await this.#holder(held) : undefined;
      if (held && holder && !isAbandoned(held, holder))
        return claimant.unique.replace && isCancellable(holder) ? undefined : holder.id;
      // It may have been sent all the same.
      if (holder && (await this.#parts.tasks.cancel(holder.id))?.state !== 'cancelled') continue;
      if (await this.#write(claimant, held)) return undefined;
    }
  }

  /** The id of the task that has a key, while it has. */
  async holder(task: JobType, key: string): Promise<string | undefined> {
    const held = await this.#parts.keys.get(keyOf(task, key));
    return held && (await this.#holder(held))?.id;
  }

  /**
   * The claimant has been sent. With `replace` it has the key from now on, and whoever had it does not run; the id of that one where it has
   * begun meanwhile, and the claimant does not run.
   */
  async sent(claimant: Claimant): Promise<string | undefined> {
    for (;;) {
      const held = await this.#parts.keys.get(keyOf(claimant.task, claimant.unique.key));
      const isOther = held !== undefined && held.value.id !== claimant.id;
      if (isOther && !claimant.unique.replace) return undefined;
      const holder = isOther ? await this.#displaced(held) : undefined;
      if (holder && (await this.#parts.tasks.cancel(claimant.id))?.state === 'cancelled') return holder.id;
      if (await this.#write(claimant, held, true)) return undefined;
    }
  }

  /** Cancels the task that has the key; its record, where it has begun and keeps it. */
  async #displaced(held: RecordEntry<UniqueRecord>): Promise<TaskRecord | undefined> {
    const holder = await this.#holder(held);
    if (!holder) return undefined;
    await this.#parts.tasks.cancel(holder.id);
    return this.#holder(held);
  }

  /** The record of the task that has the key, while it has. */
  async #holder({ value: { id, until } }: RecordEntry<UniqueRecord>): Promise<TaskRecord | undefined> {
    const record = (await this.#parts.tasks.get(id))?.value;
    if (!record || isFinished(record)) return undefined;
    return until === 'started' && record.attempts > 0 ? undefined : record;
  }

  async #write(claimant: Claimant, held: RecordEntry<UniqueRecord> | undefined, sent = false): Promise<boolean> {
    const { id, task, unique, ttl } = claimant;
    const [key, value] = [keyOf(task, unique.key), { id, until: unique.until ?? 'finished', sent }];
    const { keys } = this.#parts;
    const version = await (held
      ? keys.replaceIfVersion(key, held.version, { value, ttl })
      : keys.putIfAbsent(key, value, { ttl }));
    return version !== undefined;
  }
}

/** Whoever enqueued it has died before it was sent: it would keep its key and never run. */
function isAbandoned(held: RecordEntry<UniqueRecord>, holder: TaskRecord): boolean {
  return !held.value.sent && held.age > SENDING && isUnseen(holder);
}

/** Throws `ERR_INVALID_OPTION`. */
export function requireUnique(unique: UniqueOptions): void {
  const { key, until = 'finished' } = unique;
  if (typeof key !== 'string' || key === '') {
    throw new InvalidOptionError({ option: 'unique.key', expected: 'a text that is not empty', got: key });
  }
  if (until !== 'started' && until !== 'finished') {
    throw new InvalidOptionError({ option: 'unique.until', expected: "'started' or 'finished'", got: until });
  }
}

function keyOf(task: JobType, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([task.queue.name, task.name, key]))
    .digest('base64url');
}
