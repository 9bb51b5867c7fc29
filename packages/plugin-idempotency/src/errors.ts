import { JobError, UnrecoverableError } from '@warren/core';

/** Characters of a key in a message: it may be a stranger's. */
const SHOWN = 100;

/** Why a message is dead-lettered whose idempotency key stands for another body: one of the two producers is wrong, and no retry would tell which. */
export class IdempotencyConflictError extends UnrecoverableError {
  override readonly code = 'ERR_IDEMPOTENCY_CONFLICT';
  constructor(facts: { job: string; key: string }) {
    super(
      `The idempotency key ${JSON.stringify(facts.key.slice(0, SHOWN))} of job "${facts.job}" stands for a message with another body. ` +
        'Publish what is new under a key of its own, and what is the same with the same body.',
    );
  }
}

/** What a handler gets from `job.transaction` after it has ended, or after its timeout. */
export class TransactionOverError extends JobError {
  readonly code = 'ERR_TRANSACTION_OVER';
  constructor() {
    super(
      "The job's transaction is over: the handler has ended or was given up. Await every query, and stop when job.signal aborts.",
    );
  }
}
