import { ConfigurationError, JobError, milliseconds } from '@warren/core';
import type { Duration } from '@warren/core';

/**
 * Thrown by a handler whose upstream said "too many requests" (HTTP 429): for `retryAfter` (milliseconds, or text such as `'30s'`) the handler,
 * or the job's key where the limit has one, starts nothing; then the job runs again, uncharged. Without the plugin it is a failure like any other.
 */
export class RateLimitError extends JobError {
  readonly code = 'ERR_RATE_LIMITED';
  /** Milliseconds. */
  readonly retryAfter: number;

  constructor(retryAfter: Duration, options: { cause?: unknown } = {}) {
    const ms = milliseconds(retryAfter, 'retryAfter');
    super(`The handler was told to slow down: nothing more for ${ms} ms.`, options);
    this.retryAfter = ms;
  }
}

export class UnknownRateLimitError extends ConfigurationError {
  readonly code = 'ERR_RATE_LIMIT_UNKNOWN';
  constructor(facts: { name: string | undefined; known: readonly string[] }) {
    const what = facts.name === undefined ? 'The worker has no rate limit of its own' : `No rate limit is named "${facts.name}"`;
    const known = facts.known.length > 0 ? facts.known.join(', ') : 'none';
    super(
      `${what}. Known here: ${known}. A limit has to be given at start before it can be changed (max: Infinity for one that limits nothing yet).`,
    );
  }
}
