import { InvalidOptionError } from '@warren/core';
import type { Awaitable, Logger } from '@warren/core';
import type { Claim, Limiter } from './limiter.js';

/** Milliseconds until a limiter that failed is asked again. */
const PAUSE = 1_000;

/** A limiter that never fails: where the one behind it does, nothing is granted. The log says so once, however many keys wait, and once when it is over. */
export class FailClosed implements Limiter {
  readonly #limiter: Limiter;
  readonly #logger: Logger;
  #failing = false;

  constructor(limiter: Limiter, logger: Logger) {
    this.#limiter = limiter;
    this.#logger = logger;
  }

  take(claims: readonly Claim[]): Awaitable<number> {
    try {
      const answer = this.#limiter.take(claims);
      if (typeof answer === 'number') return this.#checked(answer);
      return answer.then((wait) => this.#checked(wait)).catch((error: unknown) => this.#failed(error));
    } catch (error) {
      return this.#failed(error);
    }
  }

  async pause(key: string, ms: number): Promise<void> {
    try {
      await this.#limiter.pause(key, ms);
    } catch (error) {
      this.#failed(error);
    }
  }

  started(claims: readonly Claim[]): void {
    try {
      this.#limiter.started?.(claims);
    } catch (error) {
      // The job runs already: as a failure it would run twice.
      this.#logger.error({ err: error }, 'the rate limiter failed: a start is not counted from its own moment');
    }
  }

  #checked(wait: number): number {
    if (wait >= 0) return this.#answered(wait);
    throw new InvalidOptionError({
      option: 'answer of the limiter',
      expected: '0, or milliseconds until asking again',
      got: wait,
    });
  }

  #answered(wait: number): number {
    if (this.#failing) this.#logger.info({}, 'the rate limiter answers again');
    this.#failing = false;
    return wait;
  }

  #failed(error: unknown): number {
    if (!this.#failing) this.#logger.error({ err: error }, 'the rate limiter failed: nothing starts until it answers');
    this.#failing = true;
    return PAUSE;
  }
}
