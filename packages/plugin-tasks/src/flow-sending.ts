// How a chain or group is enqueued: all records come first, so that a task that ends finds what comes after it; then what need not wait is sent.
import { randomUUID } from 'node:crypto';
import { InvalidOptionError, Topology } from '@warren/core';
import type { Clock, Connection, Publisher, PublishOptions } from '@warren/core';
import type { Continuations } from './continuations.js';
import type { Enqueued, EnqueueOptions } from './enqueuing.js';
import { FlowNotEnqueuedError } from './errors.js';
import { FLOW, plan } from './flow.js';
import type { Chain, GroupFlow, PlannedTask } from './flow.js';
import type { Ledger } from './ledger.js';
import { allInParallel } from './parallel.js';
import { isUnseen, queuedRecord } from './record.js';
import type { TaskRecord } from './record.js';
import { expiry, taskSettingsOf } from './task.js';
import type { TaskRecords } from './task-records.js';

export interface FlowParts {
  readonly publisher: Publisher;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly continuations: Continuations;
}

export interface EnqueuedFlow extends Enqueued {
  /** The ids of its tasks but the last. */
  readonly flow: readonly string[];
}

/** `options` are those of every task of the flow; `delay` and `at` hold for those that need not wait. */
export async function sendFlow(
  flow: Chain | GroupFlow,
  { payload, options }: { payload: unknown; options: EnqueueOptions },
  parts: FlowParts,
): Promise<EnqueuedFlow> {
  const { messageId: id = randomUUID(), unique, ...given } = options;
  if (unique) throw new InvalidOptionError({ option: 'unique', expected: 'a single task', got: `a ${flow.kind}` });
  const { tasks, group } = plan(flow, payload, id);
  const sending = { ...given, headers: { ...given.headers, [FLOW]: id }, correlationId: given.correlationId ?? id };
  const now = parts.clock.now();
  await declareQueues(tasks, parts.connection);
  const records = tasks.map((each) => recordOf(each, sending, now));
  if (group) await parts.continuations.begin(group, (records[0]?.dueAt ?? now) - now);
  const created = new Set<string>();
  try {
    await allInParallel(records, async (record) => {
      if (await create(record, parts.ledger.tasks)) created.add(record.id);
    });
    await allInParallel(tasks, (each) => send(each, sending, { ...parts, created }));
  } catch (error) {
    await withdraw([...created], parts.ledger.tasks, error).catch(() => {});
    throw error;
  }
  return { id, duplicate: !created.has(id), flow: tasks.map((each) => each.id).filter((each) => each !== id) };
}

/** Those of tasks, too, that somebody else sends later. */
async function declareQueues(planned: readonly PlannedTask[], connection: Connection): Promise<void> {
  for (const { queue, bindings } of new Set(planned.map(({ task }) => task))) {
    await connection.declare(new Topology().boundQueue(queue, bindings));
  }
}

/** Whether there was no such task; one that was withdrawn is put back. */
async function create(record: TaskRecord, tasks: TaskRecords): Promise<boolean> {
  if ((await tasks.create(record)) !== undefined) return true;
  return (await tasks.change(record.id, (found) => (isWithdrawn(found) ? record : undefined))) === record;
}

async function send(
  { id, task, first }: PlannedTask,
  options: PublishOptions,
  { publisher, ledger, created }: FlowParts & { created: ReadonlySet<string> },
): Promise<void> {
  if (!first) return;
  const found = created.has(id) ? undefined : (await ledger.tasks.get(id))?.value;
  // One that no worker has seen may have lost its message with whoever enqueued it.
  if (found && !isUnseen(found)) return;
  await publisher.publish(task, first.payload, { ...options, ...expiresIn(task, options), messageId: id });
}

/** A flow that could not be enqueued whole does not run, until it is enqueued again under the same id. */
function withdraw(ids: readonly string[], tasks: TaskRecords, cause: unknown): Promise<void> {
  const error = new FlowNotEnqueuedError({ cause });
  return allInParallel(ids, (id) => tasks.cancel(id, error));
}

function isWithdrawn({ state, error }: TaskRecord): boolean {
  return state === 'cancelled' && error?.code === 'ERR_FLOW_NOT_ENQUEUED';
}

function recordOf({ id, task, first, next, join }: PlannedTask, options: PublishOptions, now: number): TaskRecord {
  const after = { ...(next !== undefined && { next }), ...(join && { join }) };
  const record = { ...queuedRecord({ id, task }, { ...options, now }), ...after };
  if (first) return record;
  const { headers, priority, correlationId } = options;
  const address = {
    exchange: options.exchange ?? task.exchange,
    routingKey: options.routingKey ?? task.routingKey,
    contentType: 'application/json',
    headers: { ...headers, ...expiry(expiresIn(task, options), now) },
    ...(correlationId !== undefined && { correlationId }),
    ...(priority !== undefined && { priority }),
  };
  // Due with the flow, so that it is kept as long.
  return { ...record, state: 'waiting', address };
}

/** A task's own, unless the flow has one. */
function expiresIn(task: PlannedTask['task'], options: PublishOptions): Pick<PublishOptions, 'expiresIn'> {
  const given = options.expiresIn ?? taskSettingsOf(task).expiresIn;
  return given === undefined ? {} : { expiresIn: given };
}
