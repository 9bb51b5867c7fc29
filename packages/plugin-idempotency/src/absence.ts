import { postpone, requeue } from '@warren/core';
import type { Clock, Job, Outcome } from '@warren/core';

/** Milliseconds that a job is held in the worker at most: well under the 30 minutes after which a broker takes a consumer for dead. */
const LONGEST_HOLD = 300_000;

/** Milliseconds between two looks at a key that somebody else has, at least and at most: a message is published for each outside, none inside. */
const POLL = { shortest: 250, outside: 5_000, inside: 1_000 } as const;

/** Milliseconds until a store that failed is asked again; spread, so that what waits does not come back at once. */
const PAUSE = { shortest: 2_000, spread: 3_000 } as const;

export interface AbsenceParts {
  readonly clock: Clock;
  /** Whether a plugin holds messages that have a delay. */
  readonly delays: boolean;
  readonly stopping: AbortSignal;
}

/**
 * Where jobs wait, uncharged, that cannot run now: outside, as a delayed copy, where a plugin delays; else in the worker, unacknowledged,
 * for what is given back without a delay is here again at once.
 */
export class Absence {
  readonly #parts: AbsenceParts;

  constructor(parts: AbsenceParts) {
    this.#parts = parts;
  }

  /** Asks `attempt` until it says how the job ends; a number is the milliseconds after which it is worth asking again. */
  async until(job: Job, attempt: () => Promise<Outcome | number>): Promise<Outcome> {
    const end = this.#parts.clock.monotonic() + LONGEST_HOLD;
    for (;;) {
      const answer = await attempt();
      if (typeof answer !== 'number') return answer;
      if (this.#parts.delays) return postpone(answer);
      if (!(await this.#slept(job, answer)) || this.#parts.clock.monotonic() >= end) return requeue;
    }
  }

  /** Away for a while, then delivered again. */
  async away(job: Job): Promise<Outcome> {
    const ms = this.pause();
    if (this.#parts.delays) return postpone(ms);
    await this.#slept(job, ms);
    return requeue;
  }

  /** When to look again at a key that is somebody else's: what has been running for long will run on for as long again. */
  poll({ ms, age }: { ms: number; age: number }): number {
    const longest = this.#parts.delays ? POLL.outside : POLL.inside;
    return Math.ceil(Math.min(ms, longest, Math.max(POLL.shortest, age)));
  }

  /** When to ask again a store that failed. */
  pause(): number {
    return Math.round(PAUSE.shortest + Math.random() * PAUSE.spread);
  }

  /** False where there is nothing more to wait for: the worker stops, or the broker delivers the job again. */
  async #slept(job: Job, ms: number): Promise<boolean> {
    return (await this.#parts.clock.sleep(ms, this.#parts.stopping)) && !job.delivery.lost;
  }
}
