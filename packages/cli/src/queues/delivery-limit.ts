// Whoever looks at messages takes them and gives them back. Before RabbitMQ 4.3 each such look counts as a delivery of a quorum
// queue's message, which is dead-lettered or dropped past the queue's limit: rabbitmq.com/docs/quorum-queues#poison-message-handling.
import { AccessRefusedError, deadLetterQueue } from '@warren/core';
import type { Broker } from '../broker/broker.js';
import type { ManagedQueue } from '../broker/management.js';
import type { Session } from '../broker/session.js';
import { compareQueue } from '../doctor/topology.js';
import { say } from '../output.js';
import type { OutputFlags } from '../output.js';

/** From here on a limit is none for a person who looks: that of our dead-letter queues is far beyond it. */
const IN_EFFECT_NONE = 1_000_000;

/** How often a message of the queue, which exists, may be looked at: Infinity where that is in effect unlimited, undefined where it is not known. */
export async function deliveryLimit({ broker, management }: Session, name: string): Promise<number | undefined> {
  if (!broker.capabilities.requeueCounts) return Infinity;
  return management ? managedLimit(await management.queue(name)) : comparedLimit(broker, name);
}

function managedLimit({ type, arguments: args, effective_policy_definition: policy }: ManagedQueue): number | undefined {
  if (type === 'classic') return Infinity;
  const limits = [args?.['x-delivery-limit'], policy?.['delivery-limit']].filter((limit) => typeof limit === 'number');
  if (limits.length === 0) return undefined;
  const least = Math.min(...limits);
  return least >= IN_EFFECT_NONE ? Infinity : least;
}

/** What differs where a queue is no quorum queue. */
const OF_CLASSIC: ReadonlySet<string | undefined> = new Set(['x-queue-type', 'durable', 'auto_delete', 'exclusive']);

/** By declaring an existing queue as it may be: nothing happens where it is so, else the broker says what differs. */
async function comparedLimit(broker: Broker, name: string): Promise<number | undefined> {
  const ours = deadLetterQueue(name);
  try {
    if (!(await compareQueue(broker, ours))) return Infinity;
    const drift = await compareQueue(broker, { ...ours, arguments: { 'x-queue-type': 'quorum' } });
    return OF_CLASSIC.has(drift?.facts.argument) ? Infinity : undefined;
  } catch (error) {
    // Whoever may read a queue need not be allowed to declare it.
    if (error instanceof AccessRefusedError) return undefined;
    throw error;
  }
}

/** Says so where a look may cost a message. Rejects with `ERR_TOPOLOGY_MISSING` where there is no such queue. */
export async function warnOfDeliveryLimit(session: Session, name: string, flags: OutputFlags): Promise<void> {
  await session.broker.queue(name);
  const limit = await deliveryLimit(session, name);
  if (limit === Infinity) return;
  const past = limit === undefined ? 'its delivery limit, if it has one' : `its delivery limit, ${limit}`;
  say(
    `warning: on ${session.broker.capabilities.version} each look counts as a delivery of a quorum queue: past ${past}, a message is dead-lettered or dropped`,
    flags,
  );
}
