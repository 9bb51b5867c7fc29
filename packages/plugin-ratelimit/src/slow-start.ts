import { InvalidOptionError, milliseconds, requeue, requireOptions } from '@warren/core';
import type { Awaitable, Clock, Consume, Duration, Job, Outcome } from '@warren/core';

export interface SlowStartOptions {
  /** Jobs of each handler that run at first. Default 1. */
  initial?: number;
  /** The number doubles after so much time, and grows by one with every success. Milliseconds or text. Default 1000. */
  interval?: Duration;
}

export interface SlowStartParts {
  readonly initial: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  /** The number of jobs from which on nothing is held back any more; read when the ramp begins. */
  readonly top: () => number;
}

/** Reads the option. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export function slowStartOf(given: SlowStartOptions): { initial: number; interval: number } {
  requireOptions(given, 'slowStart', ['initial', 'interval']);
  const { initial = 1, interval = 1_000 } = given;
  if (!Number.isSafeInteger(initial) || initial < 1) {
    throw new InvalidOptionError({ option: 'slowStart.initial', expected: 'a whole number, 1 or more', got: initial });
  }
  const ms = milliseconds(interval, 'slowStart.interval');
  if (ms === 0) throw new InvalidOptionError({ option: 'slowStart.interval', expected: 'more than 0', got: interval });
  return { initial, interval: ms };
}

/** One ramp, from a (re)connection until it is over. */
interface Ramp {
  running: number;
  successes: number;
  /** Time counts from here; Infinity while the connection is down. */
  since: number;
}

function fresh(): Ramp {
  return { running: 0, successes: 0, since: Infinity };
}

/**
 * Lets a handler begin gently on a backlog: a few jobs at first, more with every success and every interval, until the prefetch is
 * the limit again. Then it is a call of `next` and nothing else.
 */
export class SlowStart {
  readonly #parts: SlowStartParts;
  readonly #next: Consume;
  readonly #waiting: Array<() => void> = [];
  /** Undefined once it is over. */
  #ramp: Ramp | undefined = fresh();
  #cancelTimer: (() => void) | undefined;

  constructor(parts: SlowStartParts, next: Consume) {
    this.#parts = parts;
    this.#next = next;
    parts.stopping.addEventListener('abort', () => this.#release(), { once: true });
  }

  /** Whether nothing is held back any more. */
  get over(): boolean {
    return this.#ramp === undefined;
  }

  /** A new ramp: what comes may come in masses, also before both of a worker's connections are back. */
  disconnected(): void {
    this.#ramp = fresh();
  }

  /** From now on time counts. */
  connected(): void {
    if (this.#ramp) this.#ramp.since = this.#parts.clock.monotonic();
    this.#release();
  }

  run(job: Job): Awaitable<Outcome> {
    return this.#ramp ? this.#begin(job) : this.#next(job);
  }

  #begin(job: Job): Awaitable<Outcome> {
    const ramp = this.#current();
    if (!ramp) return this.#next(job);
    if (ramp.running < this.#limit(ramp)) return this.#start(job, ramp);
    return new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#setTimer(ramp);
    }).then(() => (this.#parts.stopping.aborted || job.delivery.lost ? requeue : this.run(job)));
  }

  async #start(job: Job, ramp: Ramp): Promise<Outcome> {
    ramp.running++;
    try {
      const outcome = await this.#next(job);
      if (outcome.kind === 'ack') ramp.successes++;
      return outcome;
    } finally {
      ramp.running--;
      this.#release();
    }
  }

  /** The ramp, unless it has just reached the top. */
  #current(): Ramp | undefined {
    if (this.#ramp && this.#limit(this.#ramp) >= this.#parts.top()) this.#ramp = undefined;
    return this.#ramp;
  }

  #limit({ since, successes }: Ramp): number {
    const { initial, interval, clock } = this.#parts;
    const elapsed = Math.max(0, clock.monotonic() - since);
    return (initial + successes) * 2 ** Math.floor(elapsed / interval);
  }

  /** Lets as many go on as there is room for; each looks again by itself. */
  #release(): void {
    const ramp = this.#current();
    const room = ramp && !this.#parts.stopping.aborted ? Math.max(0, this.#limit(ramp) - ramp.running) : Infinity;
    for (const resolve of this.#waiting.splice(0, Math.min(room, this.#waiting.length))) resolve();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (ramp && this.#waiting.length > 0) this.#setTimer(ramp);
  }

  /** Only while somebody waits, and time counts. */
  #setTimer({ since }: Ramp): void {
    if (this.#cancelTimer || since === Infinity) return;
    const { interval, clock } = this.#parts;
    const rest = interval - ((clock.monotonic() - since) % interval);
    this.#cancelTimer = clock.schedule(Math.max(1, Math.ceil(rest)), () => this.#release());
  }
}
