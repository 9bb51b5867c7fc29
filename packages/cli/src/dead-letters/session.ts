// What the commands for dead letters begin with.
import { isQueueName } from '../broker/broker.js';
import { openSession } from '../broker/session.js';
import type { Session, SessionFlags } from '../broker/session.js';
import { NotDeadLettersError } from '../errors.js';
import { warnOfDeliveryLimit } from '../queues/delivery-limit.js';
import { unlessMissing } from '../queues/inventory.js';
import type { SelectionFlags } from './selection.js';

export interface DeadLetterFlags extends SessionFlags, SelectionFlags {
  readonly queue: string;
}

/** Rejects with `ERR_NOT_DEAD_LETTERS` for a queue in which jobs wait, as far as the project or the queue's own `.dead` tells. */
export async function openDeadLetters(flags: DeadLetterFlags): Promise<Session> {
  const session = await openSession(flags);
  try {
    await requireDeadLetters(session, flags.queue);
    await warnOfDeliveryLimit(session, flags.queue, flags);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** A name without its ending would take the jobs that wait. */
async function requireDeadLetters({ project, broker }: Session, queue: string): Promise<void> {
  const job = project.definitions.map(({ job }) => job).find((job) => job.queue.name === queue);
  if (job) throw new NotDeadLettersError({ queue, instead: job.queue.deadLetter?.routingKey });
  const beside = `${queue}.dead`;
  const found = isQueueName(beside) ? await unlessMissing(broker.queue(beside)) : undefined;
  if (found) throw new NotDeadLettersError({ queue, instead: beside });
}
