import { InvalidOptionError, token } from '@warren/core';
import type { JobType, Message, Token } from '@warren/core';
import { Continuations } from './continuations.js';
import { Enqueuing } from './enqueuing.js';
import type { EnqueueOptions, EnqueuingParts } from './enqueuing.js';
import { EnqueueManyError, TaskRecordsOffError } from './errors.js';
import { isFlow } from './flow.js';
import type { Chain, GroupFlow } from './flow.js';
import { sendFlow } from './flow-sending.js';
import { TaskHandle } from './handle.js';
import type { TaskAccess } from './handle.js';
import type { Ledger } from './ledger.js';
import { allInParallel, inParallel } from './parallel.js';
import type { TaskRecord, TaskState } from './record.js';
import { tickId } from './schedule/options.js';
import type { Schedule } from './schedule/options.js';
import { requireTask } from './task.js';
import { endUndelivered } from './undelivered.js';

export interface TaskFilter {
  state?: TaskState;
  /** The task's name. */
  task?: string;
}

export interface TasksParts extends EnqueuingParts {
  /** How long a group's record is kept; milliseconds. */
  readonly keepUnfinished: number;
}

/** Enqueues tasks and knows what became of them: `worker.resolve(TASKS)`. */
export class Tasks {
  /** Undefined where records are off. */
  readonly ledger: Ledger | undefined;
  /** Undefined where records are off. */
  readonly continuations: Continuations | undefined;
  readonly #parts: TasksParts;
  readonly #access: TaskAccess;
  readonly #enqueuing: Enqueuing;

  constructor(parts: TasksParts) {
    const { ledger, publisher, logger, keepUnfinished: ttl, clock } = parts;
    this.#parts = parts;
    this.ledger = ledger;
    this.#enqueuing = new Enqueuing(parts);
    this.#access = { clock, record: (id) => this.get(id), cancel: (ids) => this.#cancel(ids) };
    const send = publisher.send.bind(publisher);
    this.continuations = ledger && new Continuations({ tasks: ledger.tasks, groups: ledger.groups, send, ttl, logger });
  }

  /** Resolves when the broker has confirmed the task; of a chain or group, every task of it that need not wait. */
  async enqueue(task: JobType | Chain | GroupFlow, payload?: unknown, options: EnqueueOptions = {}): Promise<TaskHandle> {
    requireId(options.messageId);
    if (isFlow(task)) return this.#enqueueFlow(task, payload, options);
    requireTask(task, 'enqueue', 'a task made by defineTask, a chain, or a group with .then(task)');
    const enqueued = await this.#enqueuing.enqueue(task, payload, options);
    return new TaskHandle(enqueued.id, this.#access, enqueued);
  }

  /** Enqueues tasks at once and waits for all their confirms. Rejects with `ERR_ENQUEUE_MANY`, which says which were not enqueued, and why. */
  async enqueueMany(task: JobType, payloads: readonly unknown[], options: EnqueueOptions = {}): Promise<TaskHandle[]> {
    if (options.messageId !== undefined) {
      throw new InvalidOptionError({ option: 'messageId', expected: 'none: each task has its own', got: options.messageId });
    }
    if (!Array.isArray(payloads))
      throw new InvalidOptionError({ option: 'enqueueMany', expected: 'a list of payloads', got: payloads });
    const ended = await inParallel(payloads as readonly unknown[], (payload) => this.enqueue(task, payload, options));
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

  /** Ends the record of a task that was dead-lettered before it came to its handler. */
  async endUndelivered(letter: Message): Promise<void> {
    const { ledger, continuations } = this;
    if (ledger && continuations) await endUndelivered(letter, { ...this.#parts, ledger, continuations });
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

  async #enqueueFlow(flow: Chain | GroupFlow, payload: unknown, options: EnqueueOptions): Promise<TaskHandle> {
    const { ledger, continuations } = this;
    if (!ledger || !continuations) throw new TaskRecordsOffError({ action: 'enqueue a chain or group' });
    const enqueued = await sendFlow(flow, { payload, options }, { ...this.#parts, ledger, continuations });
    return new TaskHandle(enqueued.id, this.#access, enqueued);
  }
}

function requireId(id: unknown): void {
  if (id === undefined || (typeof id === 'string' && id !== '')) return;
  throw new InvalidOptionError({ option: 'messageId', expected: 'a text that is not empty', got: id });
}

/** The worker's tasks. */
export const TASKS: Token<Tasks> = token('tasks');
