import { createHash } from 'node:crypto';
import { InvalidOptionError, requeue } from '@warren/core';
import type { Awaitable, Consume, Job, Outcome } from '@warren/core';
import { RateLimitError } from './errors.js';
import type { LaneFacts } from './lane.js';
import type { Limit } from './limit.js';
import type { Claim } from './limiter.js';
import type { Throttle } from './throttle.js';

/** Characters; a longer key is replaced by its hash, for it may come from a stranger's message and is kept. */
const LONGEST_KEY = 128;

export const UNLIMITED: Limit = { max: Infinity, per: 1 };

/** A limit that holds somewhere, and may be changed while it does. */
export interface Rule {
  readonly name: string;
  limit: Limit;
  readonly key: ((job: Job) => string) | undefined;
}

export interface HandlerLimitParts {
  /** The handler's own. Where it has none: without a limit and with the worker's key, for an upstream may still ask for a pause. */
  readonly own: Rule;
  readonly worker: Rule | undefined;
  readonly throttle: Throttle;
}

/** The layer that holds a handler's jobs until they may start, and pauses them when the handler throws a RateLimitError. */
export class HandlerLimit {
  readonly #parts: HandlerLimitParts;
  readonly #next: Consume;
  /** Where one lane is all that the handler ever needs. */
  readonly #only: LaneFacts | undefined;
  /** On the monotonic clock; 0 where no pause is known, so that a handler without a limit need not look at the clock. */
  #pausedUntil = 0;

  constructor(parts: HandlerLimitParts, next: Consume) {
    this.#parts = parts;
    this.#next = next;
    if (!parts.own.key && !parts.worker?.key) this.#only = this.#facts(undefined, undefined);
  }

  run(job: Job): Awaitable<Outcome> {
    const { throttle } = this.#parts;
    const facts = this.#only ?? this.#factsOf(job);
    return this.#heed(throttle.run(job, facts), job, facts);
  }

  /** As `run`, for a handler that has no limit: only a pause makes it wait. */
  runUnlimited(job: Job): Awaitable<Outcome> {
    return this.#paused() ? this.run(job) : this.#heed(this.#next(job), job, this.#only ?? this.#factsOf(job));
  }

  #paused(): boolean {
    if (this.#pausedUntil === 0) return false;
    const { throttle, own } = this.#parts;
    if (throttle.now < this.#pausedUntil || throttle.waitsIn(own.name)) return true;
    this.#pausedUntil = 0;
    return false;
  }

  /** Looks for the handler's RateLimitError, which by now is a retry. */
  #heed(outcome: Awaitable<Outcome>, job: Job, facts: LaneFacts, held?: number): Awaitable<Outcome> {
    if ('then' in outcome) return outcome.then((result) => this.#heed(result, job, facts, held));
    const limited = outcome.kind === 'retry' && outcome.error instanceof RateLimitError;
    return limited ? this.#pause(outcome.error, job, facts, held) : outcome;
  }

  /** Pauses what the job counts under, then runs it again. What it was held before counts towards the longest hold. */
  async #pause({ retryAfter }: RateLimitError, job: Job, facts: LaneFacts, held?: number): Promise<Outcome> {
    const { throttle } = this.#parts;
    const deadline = held ?? throttle.now + throttle.maxHold;
    this.#pausedUntil = Math.max(this.#pausedUntil, throttle.now + retryAfter);
    await throttle.pause(facts, retryAfter);
    if (job.delivery.lost) return requeue;
    return this.#heed(throttle.runAgain(job, facts, { ms: retryAfter, deadline }), job, facts, deadline);
  }

  #factsOf(job: Job): LaneFacts {
    const { own, worker } = this.#parts;
    return this.#facts(keyOf(job, own), worker && keyOf(job, worker));
  }

  #facts(ownKey: string | undefined, workerKey: string | undefined): LaneFacts {
    const { own, worker } = this.#parts;
    const scope = scoped(own.name, ownKey);
    const workerScope = worker && scoped(worker.name, workerKey);
    const claims = (): Claim[] => {
      const ownClaim = { key: scope, limit: own.limit };
      return worker && workerScope ? [{ key: workerScope, limit: worker.limit }, ownClaim] : [ownClaim];
    };
    return { name: scoped(scope, workerKey), scope, claims, next: this.#next };
  }
}

function scoped(name: string, key: string | undefined): string {
  return key === undefined ? name : `${name}:${key}`;
}

function keyOf(job: Job, { name, key }: Rule): string | undefined {
  const found: unknown = key?.(job);
  if (found === undefined && !key) return undefined;
  if (typeof found !== 'string')
    throw new InvalidOptionError({ option: `rateLimit.key of ${name}`, expected: 'text for every job', got: found });
  return found.length <= LONGEST_KEY ? found : createHash('sha256').update(found).digest('base64url');
}
