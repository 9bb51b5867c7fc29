// Sends what of a flow need not wait. All records come first: a task that ends finds what comes after it.
import { Topology } from '@warren/core';
import type { Clock, Connection, Publisher, PublishOptions } from '@warren/core';
import type { PlannedTask } from './flow.js';
import type { Ledger } from './ledger.js';
import { allInParallel } from './parallel.js';
import { queuedRecord } from './record.js';
import type { TaskRecord } from './record.js';
import { expiry, taskSettingsOf } from './task.js';

export interface FlowParts {
  readonly publisher: Publisher;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/** `options` are those of every task of the flow; `delay` and `at` hold for those that need not wait. */
export async function sendPlanned(planned: readonly PlannedTask[], options: PublishOptions, parts: FlowParts): Promise<void> {
  const now = parts.clock.now();
  await declareQueues(planned, parts.connection);
  await allInParallel(planned, (each) => parts.ledger.tasks.create(recordOf(each, options, now)));
  await allInParallel(planned, async ({ id, task, first }) => {
    if (first) await parts.publisher.publish(task, first.payload, { ...options, ...expiresIn(task, options), messageId: id });
  });
}

/** Those of tasks, too, that somebody else sends later. */
async function declareQueues(planned: readonly PlannedTask[], connection: Connection): Promise<void> {
  for (const { queue, bindings } of new Set(planned.map(({ task }) => task))) {
    await connection.declare(new Topology().boundQueue(queue, bindings));
  }
}

function recordOf({ id, task, first, next, join }: PlannedTask, options: PublishOptions, now: number): TaskRecord {
  const after = { ...(next !== undefined && { next }), ...(join && { join }) };
  if (first) return { ...queuedRecord({ id, task }, { ...options, now }), ...after };
  const { headers, priority, correlationId } = options;
  const address = {
    exchange: options.exchange ?? task.exchange,
    routingKey: options.routingKey ?? task.routingKey,
    contentType: 'application/json',
    headers: { ...headers, ...expiry(expiresIn(task, options), now) },
    ...(correlationId !== undefined && { correlationId }),
    ...(priority !== undefined && { priority }),
  };
  return { ...queuedRecord({ id, task }, { now }), state: 'waiting', address, ...after };
}

/** A task's own, unless the flow has one. */
function expiresIn(task: PlannedTask['task'], options: PublishOptions): Pick<PublishOptions, 'expiresIn'> {
  const given = options.expiresIn ?? taskSettingsOf(task).expiresIn;
  return given === undefined ? {} : { expiresIn: given };
}
