import { randomUUID } from 'node:crypto';
import { InvalidOptionError, token } from '@warren/core';
import type { Clock, Connection, JobType, Logger, Publisher, PublishOptions, Token } from '@warren/core';
import { Continuations } from './continuations.js';
import { EnqueueManyError, TaskRecordsOffError } from './errors.js';
import { isFlow, plan } from './flow.js';
import type { Chain, GroupFlow } from './flow.js';
import { sendPlanned } from './flow-sending.js';
import { TaskHandle } from './handle.js';
import type { TaskAccess } from './handle.js';
import type { Ledger } from './ledger.js';
import { allInParallel, inParallel } from './parallel.js';
import { isFinished, queuedRecord } from './record.js';
import type { TaskRecord, TaskState } from './record.js';
import { tickId } from './schedule/options.js';
import type { Schedule } from './schedule/options.js';
import { taskSettingsOf } from './task.js';
import { requireUnique } from './unique.js';
import type { UniqueOptions } from './unique.js';

/** What `enqueue` can be told. `messageId` is the task's id: enqueued again under the same id, a task runs once. */
export interface EnqueueOptions extends PublishOptions {
  unique?: UniqueOptions;
}

export interface TaskFilter {
  state?: TaskState;
  /** The task's name. */
  task?: string;
}

export interface TasksParts {
  readonly publisher: Publisher;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where records are off. */
  readonly ledger: Ledger | undefined;
  /** How long a group's record is kept; milliseconds. */
  readonly keepUnfinished: number;
}

/** One task to enqueue, and how its message is sent. */
interface Enqueue {
  readonly record: TaskRecord;
  readonly task: JobType;
  readonly unique: UniqueOptions | undefined;
  readonly publish: () => Promise<void>;
}

/** Enqueues tasks and knows what became of them: `worker.resolve(TASKS)`. */
export class Tasks {
  /** Undefined where records are off. */
  readonly ledger: Ledger | undefined;
  /** Undefined where records are off. */
  readonly continuations: Continuations | undefined;
  readonly #parts: TasksParts;
  readonly #access: TaskAccess;
  readonly #warned = new Set<string>();

  constructor(parts: TasksParts) {
    const { ledger, publisher, logger, keepUnfinished: ttl, clock } = parts;
    this.#parts = parts;
    this.ledger = ledger;
    this.#access = { clock, record: (id) => this.get(id), cancel: (ids) => this.#cancel(ids) };
    const send = publisher.send.bind(publisher);
    this.continuations = ledger && new Continuations({ tasks: ledger.tasks, groups: ledger.groups, send, ttl, logger });
  }

  /** Resolves when the broker has confirmed the task; of a chain or group, every task of it that need not wait. */
  async enqueue(task: JobType | Chain | GroupFlow, payload?: unknown, options: EnqueueOptions = {}): Promise<TaskHandle> {
    if (isFlow(task)) return this.#enqueueFlow(task, payload, options);
    const { expiresIn = taskSettingsOf(task).expiresIn, unique, messageId: id = randomUUID(), ...given } = options;
    if (unique) requireUnique(unique);
    this.#warnOfPriority(task, given.priority);
    const publishing = { ...given, messageId: id, ...(expiresIn !== undefined && { expiresIn }) };
    const publish = (): Promise<void> => this.#parts.publisher.publish(task, payload, publishing);
    if (this.ledger)
      return this.#enqueueRecorded({
        record: queuedRecord({ id, task }, { ...given, now: this.#parts.clock.now() }),
        task,
        unique,
        publish,
      });
    if (unique) throw new TaskRecordsOffError({ action: 'enqueue a unique task' });
    await publish();
    return this.handle(id);
  }

  /** Enqueues tasks at once and waits for all their confirms. Rejects with `ERR_ENQUEUE_MANY`, which says which were not enqueued, and why. */
  async enqueueMany(task: JobType, payloads: readonly unknown[], options: EnqueueOptions = {}): Promise<TaskHandle[]> {
    const ended = await inParallel(payloads, (payload) => this.enqueue(task, payload, options));
    const failures = new Map(
      ended.flatMap((each, index) => (each.status === 'rejected' ? [[index, each.reason as unknown]] : [])),
    );
    if (failures.size > 0) throw new EnqueueManyError({ count: payloads.length, failures });
    return ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** Enqueues the task of a schedule's tick: once, however often it is asked for. */
  async fire(schedule: Schedule, tick: Date): Promise<void> {
    const payload = await schedule.payload(tick);
    // JSON has no form for none.
    await this.enqueue(schedule.task, payload === undefined ? null : payload, { messageId: tickId(schedule, tick) });
  }

  /** The last tick of a schedule that the store has heard of. */
  async lastTick(schedule: string): Promise<Date | undefined> {
    const found = await this.#parts.ledger?.schedules.get(schedule);
    return found && new Date(found.value.last);
  }

  /** The handle of a task that was enqueued anywhere. */
  handle(id: string): TaskHandle {
    return new TaskHandle(id, this.#access);
  }

  /** The handle of the task that has a unique key, while it has. */
  async unique(task: JobType, key: string): Promise<TaskHandle | undefined> {
    const id = await this.#ledger('look for a unique task').uniqueKeys.holder(task, key);
    return id === undefined ? undefined : this.handle(id);
  }

  async get(id: string): Promise<TaskRecord | undefined> {
    return (await this.#ledger('look at a task').tasks.get(id))?.value;
  }

  /** In no order. */
  async *list({ state, task }: TaskFilter = {}): AsyncGenerator<TaskRecord> {
    for await (const { value } of this.#ledger('list tasks').tasks.list()) {
      if ((state === undefined || value.state === state) && (task === undefined || value.task === task)) yield value;
    }
  }

  /** Whether the task will not run: true unless it has begun, has ended otherwise or is unknown. Its message is acknowledged when it comes. */
  cancel(id: string): Promise<boolean> {
    return this.#cancel([id]);
  }

  /** The first one's followers are told; the others are before it. */
  async #cancel(ids: readonly string[]): Promise<boolean> {
    const { tasks } = this.#ledger('cancel a task');
    await allInParallel(ids, (id) => tasks.cancel(id));
    const first = ids[0] === undefined ? undefined : await this.get(ids[0]);
    if (first?.state !== 'cancelled') return false;
    await this.continuations?.abandon(first);
    return true;
  }

  #ledger(action: string): Ledger {
    if (!this.ledger) throw new TaskRecordsOffError({ action });
    return this.ledger;
  }

  /** The record first, so that whoever runs the task finds it; the key next, so that nothing is sent that must not run. */
  async #enqueueRecorded({ record, task, unique, publish }: Enqueue): Promise<TaskHandle> {
    const { tasks, uniqueKeys } = this.#ledger('enqueue');
    const { id } = record;
    const version = await tasks.create(record);
    if (version === undefined) return this.#enqueueAgain(id, publish);
    const claimant = unique && { id, task, unique, ttl: tasks.ttlOf(record) };
    try {
      const holder = claimant && (await uniqueKeys.take(claimant));
      if (holder !== undefined) {
        await tasks.remove(id, version);
        return new TaskHandle(holder, this.#access, { duplicate: true });
      }
      await publish();
    } catch (error) {
      await tasks.remove(id, version).catch(() => {});
      throw error;
    }
    if (claimant?.unique.replace) await uniqueKeys.replace(claimant);
    return this.handle(id);
  }

  /** A task that has not ended may have lost its message with whoever enqueued it; that of one that has not lost it is acknowledged in the end. */
  async #enqueueAgain(id: string, publish: () => Promise<void>): Promise<TaskHandle> {
    const record = await this.get(id);
    if (record && !isFinished(record)) await publish();
    return new TaskHandle(id, this.#access, { duplicate: true });
  }

  async #enqueueFlow(flow: Chain | GroupFlow, payload: unknown, options: EnqueueOptions): Promise<TaskHandle> {
    const ledger = this.#ledger('enqueue a chain or group');
    const { messageId: id = randomUUID(), unique, ...given } = options;
    if (unique) throw new InvalidOptionError({ option: 'unique', expected: 'a single task', got: `a ${flow.kind}` });
    const planned = plan(flow, payload, id);
    const handle = new TaskHandle(id, this.#access, { flow: planned.tasks.map((each) => each.id).filter((each) => each !== id) });
    if (planned.group) await this.continuations?.begin(planned.group);
    try {
      await sendPlanned(planned.tasks, { ...given, correlationId: given.correlationId ?? id }, { ...this.#parts, ledger });
    } catch (error) {
      await handle.cancel().catch(() => {});
      throw error;
    }
    return handle;
  }

  #warnOfPriority({ queue }: JobType, priority: number | undefined): void {
    if (!priority || 'x-max-priority' in queue.arguments || this.#warned.has(queue.name)) return;
    const { quorumPriorities, version } = this.#parts.connection.capabilities;
    if (queue.arguments['x-queue-type'] === 'quorum' && quorumPriorities) return;
    this.#warned.add(queue.name);
    this.#parts.logger.warn(
      { queue: queue.name, broker: version },
      'this queue has no priorities: define its tasks with `priorities`, or use quorum queues on RabbitMQ 4',
    );
  }
}

/** The worker's tasks. */
export const TASKS: Token<Tasks> = token('tasks');
