import type { Awaitable, Logger } from '@warren/core';
import type { Claim, Limiter } from './limiter.js';

/** Milliseconds until a limiter that failed is asked again. */
const PAUSE = 1_000;

/** A limiter that never fails: where the one behind it does, nothing is granted, and the log says so. */
export class FailClosed implements Limiter {
  readonly #limiter: Limiter;
  readonly #logger: Logger;

  constructor(limiter: Limiter, logger: Logger) {
    this.#limiter = limiter;
    this.#logger = logger;
  }

  take(claims: readonly Claim[]): Awaitable<number> {
    try {
      const answer = this.#limiter.take(claims);
      return typeof answer === 'number' ? answer : answer.catch((error: unknown) => this.#failed(error));
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
    this.#limiter.started?.(claims);
  }

  #failed(error: unknown): number {
    this.#logger.error({ err: error }, 'the rate limiter failed: nothing starts');
    return PAUSE;
  }
}
