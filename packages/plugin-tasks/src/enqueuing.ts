// How a single task is enqueued. The record first, so that whoever runs the task finds it; the key next, so that nothing is sent that must
// not run; the message last.
import { randomUUID } from 'node:crypto';
import type { Clock, Connection, JobType, Logger, Publisher, PublishOptions } from '@warren/core';
import { TaskRecordsOffError } from './errors.js';
import type { Ledger } from './ledger.js';
import { isUnseen, queuedRecord } from './record.js';
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
    const { id } = enqueue.record;
    const { tasks, uniqueKeys } = enqueue.ledger;
    const version = await tasks.create(enqueue.record);
    const found = version === undefined ? (await tasks.get(id))?.value : undefined;
    // Whoever had enqueued it could not send it, and has taken it back meanwhile.
    if (version === undefined && !found) return this.#recorded(enqueue);
    // One that no worker has seen may have lost its message with whoever enqueued it; if not, the second one is acknowledged in the end.
    if (found && !isUnseen(found)) return { id, duplicate: true };
    const takeBack = async (): Promise<void> => {
      if (version !== undefined) await tasks.remove(id, version);
    };
    const holder = await this.#send(enqueue).catch(async (error: unknown) => {
      await takeBack().catch(() => {});
      throw error;
    });
    if (holder !== undefined) {
      await takeBack();
      return { id: holder, duplicate: true };
    }
    const other = enqueue.claimant && (await uniqueKeys.sent(enqueue.claimant));
    return { id: other ?? id, duplicate: other !== undefined || found !== undefined };
  }

  /** The id of the task that has the key already; undefined when this one has been sent. */
  async #send({ claimant, publish, ledger }: Enqueue): Promise<string | undefined> {
    const holder = claimant && (await ledger.uniqueKeys.take(claimant));
    if (holder === undefined) await publish();
    return holder;
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
