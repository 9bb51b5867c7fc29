// Every error of plugin-delay. What is wrong with a single value is core's ERR_INVALID_OPTION.
import { ConfigurationError, JobError } from '@warren/core';

export class DelayAmbiguousError extends ConfigurationError {
  readonly code = 'ERR_DELAY_AMBIGUOUS';
  constructor() {
    super('A message has both "delay" and "at": expected one of the two. Use "at" for a moment, "delay" for a time from now.');
  }
}

export class DelayTooLongError extends ConfigurationError {
  readonly code = 'ERR_DELAY_TOO_LONG';
  constructor(facts: { ms: number; max: number }) {
    super(
      `A message is to wait ${facts.ms} ms: expected at most ${facts.max} ms (999 days, 23:59:59.999). Publish it again nearer to its time.`,
    );
  }
}

/** The name of a queue or exchange, or a routing key, that a delayed message cannot have. */
export class DelayTargetError extends JobError {
  readonly code = 'ERR_DELAY_TARGET';
  constructor(facts: { what: string; expected: string; got: string }) {
    super(`A delayed message cannot go to ${facts.what} "${facts.got.slice(0, 64)}": expected ${facts.expected}.`);
  }
}
