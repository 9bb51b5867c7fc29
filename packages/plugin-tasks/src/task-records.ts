import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock, Job } from '@warren/core';
import { Lease, LONGEST_TTL } from '@warren/store';
import type { LeaseLostError, RecordEntry, Records } from '@warren/store';
import { isOfFlow } from './flow.js';
import { errorOf, isCancellable, isNeeded, settled } from './record.js';
import type { TaskRecord } from './record.js';
import type { TasksSettings } from './options.js';

export interface TaskRecordsParts {
  readonly records: Records<TaskRecord>;
  readonly clock: Clock;
  readonly settings: TasksSettings;
}

/** What a delivery may do with its task. */
export type Claim =
  | { readonly kind: 'run'; readonly lease: Lease<TaskRecord> }
  /** Another worker runs it; in `wait` milliseconds its lease is over, unless it is renewed. */
  | { readonly kind: 'busy'; readonly wait: number }
  | { readonly kind: 'over'; readonly entry: RecordEntry<TaskRecord> }
  /** It belongs to a chain or group and has no record: what comes after it is not known. */
  | { readonly kind: 'missing' };

const WORKER = `${hostname()}:${process.pid}`;

/** What is kept as it is. */
const PLAIN = /^[!-~]{1,200}$/;

/** The tasks' records, and the changes that they may undergo: each only from the state that it was seen in. */
export class TaskRecords {
  readonly #records: Records<TaskRecord>;
  readonly #clock: Clock;
  readonly #settings: TasksSettings;

  constructor({ records, clock, settings }: TaskRecordsParts) {
    this.#records = records;
    this.#clock = clock;
    this.#settings = settings;
  }

  get(id: string): Promise<RecordEntry<TaskRecord> | undefined> {
    return this.#records.get(keyOf(id));
  }

  list(): AsyncIterable<RecordEntry<TaskRecord>> {
    return this.#records.list();
  }

  /** The version of the new record; undefined where there is one already. */
  create(record: TaskRecord): Promise<number | undefined> {
    return this.#records.putIfAbsent(keyOf(record.id), record, { ttl: this.ttlOf(record) });
  }

  /** Replaces what was seen. False where it has changed since. */
  async replace({ value: { id }, version }: RecordEntry<TaskRecord>, value: TaskRecord): Promise<boolean> {
    return (await this.#records.replaceIfVersion(keyOf(id), version, { value, ttl: this.ttlOf(value) })) !== undefined;
  }

  /** Takes back a record that nobody has touched. */
  async remove(id: string, version: number): Promise<void> {
    await this.#records.deleteIfVersion(keyOf(id), version);
  }

  /** Changes a record for as long as `change` gives another; resolves with what it is then, or undefined where there is none. */
  async change(id: string, change: (record: TaskRecord) => TaskRecord | undefined): Promise<TaskRecord | undefined> {
    for (;;) {
      const entry = await this.get(id);
      const changed = entry && change(entry.value);
      if (!changed) return entry?.value;
      if (await this.replace(entry, changed)) return changed;
    }
  }

  /** The record as it is afterwards; cancelled, because of `error` where there is one, unless the task has begun, has ended, or is unknown. */
  cancel(id: string, error?: Error): Promise<TaskRecord | undefined> {
    return this.change(id, (record) => {
      if (!isCancellable(record)) return undefined;
      // What is still on its way has to find this when it comes.
      const { dueAt } = record;
      const kept = { ...(dueAt !== undefined && { dueAt }), ...(error && { error: errorOf(error) }) };
      return settled(record, { state: 'cancelled', finishedAt: this.#clock.now(), ...kept });
    });
  }

  /** A task that has not begun gives up, if it is in the state `from`. The record as it is afterwards. */
  fail(id: string, error: Error, from: 'waiting' | 'queued'): Promise<TaskRecord | undefined> {
    return this.change(id, (record) =>
      record.state === from
        ? settled(record, { state: 'failed', finishedAt: this.#clock.now(), error: errorOf(error) })
        : undefined,
    );
  }

  /** Takes a delivered task's record, for as long as the lease is renewed. A message that was published without a record gets one. */
  async claim(job: Job, id: string, onLost: (error: LeaseLostError) => void): Promise<Claim> {
    const queue = job.queue;
    let key = keyOf(id);
    for (;;) {
      const entry = await this.#records.get(key);
      // The same message in a second queue is a second task.
      if (entry && (entry.value.queue !== queue || entry.value.task !== job.name)) {
        key = keyOf(`${keyOf(id)}@${hashed(`${queue}/${job.name}`)}`);
        continue;
      }
      if (!entry && key === keyOf(id) && isOfFlow(job)) return { kind: 'missing' };
      const refused = entry && this.#refusal(entry);
      if (refused) return refused;
      const value = this.#begun(entry?.value ?? this.#foreign(job, id), job);
      const ttl = this.#settings.keepUnfinished;
      const since = this.#clock.monotonic();
      const version = await (entry
        ? this.#records.replaceIfVersion(key, entry.version, { value, ttl })
        : this.#records.putIfAbsent(key, value, { ttl }));
      if (version === undefined) continue;
      const [records, clock, duration] = [this.#records, this.#clock, this.#settings.lease];
      return { kind: 'run', lease: new Lease({ records, key, value, version, duration, ttl, clock, since, onLost }) };
    }
  }

  /** The message of a cancelled task has come: its record has waited for nothing else. */
  async expire({ value, version }: RecordEntry<TaskRecord>): Promise<void> {
    await this.#records.replaceIfVersion(keyOf(value.id), version, { value, ttl: this.#settings.keep });
  }

  /** Milliseconds to keep a record. */
  ttlOf(record: TaskRecord): number {
    const { keep, keepUnfinished } = this.#settings;
    const due = Math.max(0, Math.ceil((record.dueAt ?? 0) - this.#clock.now()));
    // A later one is refused when its message is published.
    return Math.min(LONGEST_TTL, due + (isNeeded(record) ? keepUnfinished : keep));
  }

  #refusal(entry: RecordEntry<TaskRecord>): Claim | undefined {
    const { value: record, age } = entry;
    if (record.state === 'succeeded' || record.state === 'cancelled') return { kind: 'over', entry };
    const left = (record.lease ?? 0) - age;
    return record.state === 'running' && left > 0 ? { kind: 'busy', wait: left } : undefined;
  }

  #foreign({ name: task, queue }: Job, id: string): TaskRecord {
    return { id, task, queue, state: 'queued', attempts: 0, createdAt: this.#clock.now() };
  }

  #begun(record: TaskRecord, { attempt }: Job): TaskRecord {
    const { finishedAt: _, progress: __, ...kept } = settled(record, { state: 'running' });
    const { lease } = this.#settings;
    // Found running, it was left by a worker whose lease is over.
    const lost = record.state === 'running' && { lostRuns: (record.lostRuns ?? 0) + 1 };
    return { ...kept, attempts: attempt, startedAt: this.#clock.now(), worker: WORKER, run: randomUUID(), lease, ...lost };
  }
}

/** Ids are their users', of any length and with any characters. */
function keyOf(id: string): string {
  return PLAIN.test(id) ? id : hashed(id);
}

function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
