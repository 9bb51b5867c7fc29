import { token } from '@warren/core';
import type { Token } from '@warren/core';
import { UnknownRateLimitError } from './errors.js';
import type { Rule } from './handler-limit.js';
import { limitOf } from './limit.js';
import type { Limit, RateLimit } from './limit.js';
import type { Throttle } from './throttle.js';

/** The worker's limits, while it runs: `worker.resolve(RATE_LIMIT)`. */
export interface RateLimits {
  /** The limit of the handlers of the job named `name`, or without a name the worker's own. Throws `ERR_RATE_LIMIT_UNKNOWN`. */
  get(name?: string): Limit;
  /** Changes the worker's own limit from now on. */
  set(limit: RateLimit): void;
  /** Changes a limit from now on, also for jobs that wait already. What is counted as a key stays as it is. */
  set(name: string | undefined, limit: RateLimit): void;
}

export const RATE_LIMIT: Token<RateLimits> = token('rate-limit');

/** The rules of one worker, by name. */
export class RuleBook implements RateLimits {
  readonly #rules: Array<{ readonly name: string | undefined; readonly rule: Rule }> = [];
  readonly #throttle: Pick<Throttle, 'wake'>;

  constructor(throttle: Pick<Throttle, 'wake'>) {
    this.#throttle = throttle;
  }

  add(name: string | undefined, rule: Rule): void {
    this.#rules.push({ name, rule });
  }

  get(name?: string): Limit {
    const [rule] = this.#named(name);
    return rule.limit;
  }

  set(...given: [limit: RateLimit] | [name: string | undefined, limit: RateLimit]): void {
    const [name, configured] = given.length === 1 ? [undefined, given[0]] : given;
    const limit = limitOf(configured, name === undefined ? 'rateLimit' : `rateLimit of "${name}"`);
    for (const rule of this.#named(name)) rule.limit = limit;
    this.#throttle.wake();
  }

  /** A job's handlers on several queues share its name. */
  #named(name: string | undefined): [Rule, ...Rule[]] {
    const [first, ...others] = this.#rules.filter((entry) => entry.name === name).map(({ rule }) => rule);
    if (first) return [first, ...others];
    throw new UnknownRateLimitError({ name, known: this.#rules.map((entry) => entry.name ?? "the worker's own") });
  }
}
