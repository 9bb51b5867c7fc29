import type { Awaitable, Consume, Job, Outcome } from '@warren/core';
import type { Claim, Limiter } from './limiter.js';

/** Questions of a lane that may be under way to a limiter that answers later: its latency must not limit the rate. */
const QUESTIONS = 16;

/** A job that waits for its turn, and holds its delivery unacknowledged meanwhile. */
export interface Waiter {
  readonly job: Job;
  /** The order of arrival, over all lanes. */
  readonly number: number;
  /** On the monotonic clock: when it has been held for long enough. */
  readonly deadline: number;
  resolve(outcome: Awaitable<Outcome>): void;
  reject(error: unknown): void;
}

/** Where jobs that count under the same keys wait for one another. */
export interface LaneFacts {
  readonly name: string;
  /** The key that a pause is for: the handler's, or the job's in the handler. */
  readonly scope: string;
  /** Read anew for every start: a limit may be changed at run time. */
  claims(): readonly Claim[];
  readonly next: Consume;
}

/** Starts a job that has been granted. */
export function start(job: Job, facts: LaneFacts, limiter: Limiter): Awaitable<Outcome> {
  try {
    return facts.next(job);
  } finally {
    limiter.started?.(facts.claims());
  }
}

/** The jobs that wait under the same claims, in order of arrival. */
export class Lane {
  readonly facts: LaneFacts;
  readonly waiters: Waiter[] = [];
  /** Questions to the limiter that are unanswered; a grant is for whoever is first when it comes. */
  asking: number = 0;
  /** On the monotonic clock: not worth asking before. */
  askAt: number = -Infinity;

  constructor(facts: LaneFacts) {
    this.facts = facts;
  }

  get head(): Waiter | undefined {
    return this.waiters[0];
  }

  /** On the monotonic clock: when something is to be done about it. */
  get due(): number {
    return Math.min(this.head?.deadline ?? Infinity, this.head && this.asking === 0 ? this.askAt : Infinity);
  }

  mayAsk(now: number): boolean {
    return this.askAt <= now && this.asking < Math.min(QUESTIONS, this.waiters.length);
  }

  /** Whether its first job came before the other's. */
  before(other: Lane | undefined): boolean {
    return (this.head?.number ?? Infinity) < (other?.head?.number ?? Infinity);
  }

  /** Milliseconds from `now` until the waiter at `index` can expect to start. */
  estimate(index: number, now: number): number {
    const windows = this.facts.claims().map(({ limit: { max, per } }) => Math.floor(index / max) * per);
    return Math.max(0, this.askAt - now) + Math.max(0, ...windows);
  }

  /** Starts the first waiter, now: a grant counts from this moment. */
  start(limiter: Limiter): void {
    const waiter = this.waiters.shift();
    if (!waiter) return;
    try {
      waiter.resolve(start(waiter.job, this.facts, limiter));
    } catch (error) {
      waiter.reject(error);
    }
  }
}
