// What the commands for dead letters begin with.
import { openSession } from '../broker/session.js';
import type { Session, SessionFlags } from '../broker/session.js';
import { NotDeadLettersError } from '../errors.js';
import { warnOfDeliveryLimit } from '../queues/delivery-limit.js';
import type { SelectionFlags } from './selection.js';

export interface DeadLetterFlags extends SessionFlags, SelectionFlags {
  readonly queue: string;
}

/** Throws `ERR_NOT_DEAD_LETTERS` for a queue that the project's jobs are in. */
export async function openDeadLetters(flags: DeadLetterFlags): Promise<Session> {
  const session = await openSession(flags);
  try {
    requireDeadLetters(session, flags.queue);
    await warnOfDeliveryLimit(session, flags.queue, flags);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** A name that is wrong by its ending would take the jobs that wait. */
function requireDeadLetters({ project }: Session, queue: string): void {
  const job = project.definitions.map(({ job }) => job).find((job) => job.queue.name === queue);
  if (job) throw new NotDeadLettersError({ queue, job: job.name, instead: job.queue.deadLetter?.routingKey });
}
