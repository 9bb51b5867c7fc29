// Whoever looks at messages takes them and gives them back. Before RabbitMQ 4.3 each such look counts as a delivery of a quorum
// queue's message, which is dead-lettered or dropped past the queue's limit: rabbitmq.com/docs/quorum-queues#poison-message-handling.
import type { Queue } from '@warren/core';
import type { ManagedQueue } from '../broker/management.js';
import type { Session } from '../broker/session.js';
import { say } from '../output.js';
import type { OutputFlags } from '../output.js';
import { knownQueues } from './inventory.js';

/** From here on a limit is none for a person who looks: that of our dead-letter queues is far beyond it. */
const IN_EFFECT_NONE = 1_000_000;

/** How often a message of the queue may be looked at: Infinity where that is in effect unlimited, undefined where it is not known. */
export async function deliveryLimit(
  { broker, management, topology, project }: Session,
  name: string,
): Promise<number | undefined> {
  if (!broker.capabilities.requeueCounts) return Infinity;
  if (management) return managedLimit(await management.queue(name));
  const known = knownQueues(
    topology,
    project.definitions.map(({ job }) => job.queue),
  ).find((queue) => queue.name === name);
  return known && limitOf(known.arguments);
}

function managedLimit({ type, arguments: args, effective_policy_definition: policy }: ManagedQueue): number | undefined {
  if (type === 'classic') return Infinity;
  const limits = [args?.['x-delivery-limit'], policy?.['delivery-limit']].filter((limit) => typeof limit === 'number');
  return limits.length > 0 ? unlimited(Math.min(...limits)) : undefined;
}

function limitOf(args: Queue['arguments']): number | undefined {
  if (args['x-queue-type'] === 'classic') return Infinity;
  const limit = args['x-delivery-limit'];
  return typeof limit === 'number' ? unlimited(limit) : undefined;
}

function unlimited(limit: number): number {
  return limit >= IN_EFFECT_NONE ? Infinity : limit;
}

/** Says so where a look may cost a message. Rejects with `ERR_TOPOLOGY_MISSING` where there is no such queue. */
export async function warnOfDeliveryLimit(session: Session, name: string, flags: OutputFlags): Promise<void> {
  await session.broker.call(`Queue "${name}"`, (channel) => channel.checkQueue(name));
  const limit = await deliveryLimit(session, name);
  if (limit === Infinity) return;
  const past = limit === undefined ? 'its delivery limit, if it has one' : `its delivery limit, ${limit}`;
  say(
    `warning: on ${session.broker.capabilities.version} each look counts as a delivery of a quorum queue: past ${past}, a message is dead-lettered or dropped`,
    flags,
  );
}
