// How a single task is enqueued. The record first, so that whoever runs the task finds it; the key next, so that nothing is sent that must
// not run; the message last.
import { randomUUID } from 'node:crypto';
import type { Clock, Connection, JobType, Logger, Publisher, PublishOptions } from '@warren/core';
import { TaskRecordsOffError } from './errors.js';
import type { Ledger } from './ledger.js';
import { isFinished, queuedRecord } from './record.js';
import type { TaskRecord } from './record.js';
import { taskSettingsOf } from './task.js';
import { requireUnique } from './unique.js';
import type { Claimant, UniqueOptions } from './unique.js';

/** What `enqueue` can be told. `messageId` is the task's id: enqueued again under the same id, a task runs once. */
export interface EnqueueOptions extends PublishOptions {
  unique?: UniqueOptions;
}

/** What has come of it: the id of the task, and whether that was there before. */
export interface Enqueued {
  readonly id: string;
  readonly duplicate: boolean;
}

export interface EnqueuingParts {
  readonly publisher: Publisher;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where records are off. */
  readonly ledger: Ledger | undefined;
}

/** One task to enqueue, and how its message is sent. */
interface Enqueue {
  readonly record: TaskRecord;
  readonly claimant: Claimant | undefined;
  readonly publish: () => Promise<void>;
  readonly ledger: Ledger;
}

export class Enqueuing {
  readonly #parts: EnqueuingParts;
  readonly #warned = new Set<string>();

  constructor(parts: EnqueuingParts) {
    this.#parts = parts;
  }

  /** Resolves when the broker has confirmed the task. */
  async enqueue(task: JobType, payload: unknown, options: EnqueueOptions): Promise<Enqueued> {
    const { publisher, clock, ledger } = this.#parts;
    const { expiresIn = taskSettingsOf(task).expiresIn, unique, messageId: id = randomUUID(), ...given } = options;
    if (unique) requireUnique(unique);
    if (unique && !ledger) throw new TaskRecordsOffError({ action: 'enqueue a unique task' });
    this.#warnOfPriority(task, given.priority);
    const publishing = { ...given, messageId: id, ...(expiresIn !== undefined && { expiresIn }) };
    const publish = (): Promise<void> => publisher.publish(task, payload, publishing);
    if (!ledger) {
      await publish();
      return { id, duplicate: false };
    }
    const record = queuedRecord({ id, task }, { ...given, now: clock.now() });
    const claimant = unique && { id, task, unique, ttl: ledger.tasks.ttlOf(record) };
    return this.#recorded({ record, claimant, publish, ledger });
  }

  async #recorded(enqueue: Enqueue): Promise<Enqueued> {
    const { record, claimant, publish, ledger } = enqueue;
    const { tasks, uniqueKeys } = ledger;
    const { id } = record;
    const version = await tasks.create(record);
    if (version === undefined) return this.#again(enqueue);
    try {
      const holder = claimant && (await uniqueKeys.take(claimant));
      if (holder !== undefined) {
        await tasks.remove(id, version);
        return { id: holder, duplicate: true };
      }
      await publish();
    } catch (error) {
      await tasks.remove(id, version).catch(() => {});
      throw error;
    }
    if (claimant?.unique.replace) await uniqueKeys.replace(claimant);
    return { id, duplicate: false };
  }

  /** A task that has not ended may have lost its message with whoever enqueued it; that of one that has not lost it is acknowledged in the end. */
  async #again(enqueue: Enqueue): Promise<Enqueued> {
    const { record, publish, ledger } = enqueue;
    const found = (await ledger.tasks.get(record.id))?.value;
    // Whoever had enqueued it first could not send it, and has taken it back.
    if (!found) return this.#recorded(enqueue);
    if (!isFinished(found)) await publish();
    return { id: record.id, duplicate: true };
  }

  #warnOfPriority({ queue }: JobType, priority: number | undefined): void {
    const { connection, logger } = this.#parts;
    if (!priority || 'x-max-priority' in queue.arguments || this.#warned.has(queue.name)) return;
    const { quorumPriorities, version } = connection.capabilities;
    if (queue.arguments['x-queue-type'] === 'quorum' && quorumPriorities) return;
    this.#warned.add(queue.name);
    logger.warn(
      { queue: queue.name, broker: version },
      'this queue has no priorities: define its tasks with `priorities`, or use quorum queues on RabbitMQ 4',
    );
  }
}
