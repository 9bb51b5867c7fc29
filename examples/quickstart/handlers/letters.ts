// A handler as a class, which the worker's container makes, with a rate limit.
import { handler, inject, injectable, LOGGER } from '@warren/core';
import type { HandlerDefinition, Job, Logger } from '@warren/core';
import type { RateLimitOptions } from '@warren/plugin-ratelimit';
import { letter } from '../jobs.js';

@injectable()
class SendLetter {
  #last: number | undefined;

  constructor(@inject(LOGGER) private readonly log: Logger) {}

  handle({ payload }: Job<{ number: number }>): void {
    const now = Date.now();
    this.log.info({}, `Letter ${payload.number}${this.#last ? `, ${now - this.#last} ms after the one before` : ''}`);
    this.#last = now;
  }
}

const pace: RateLimitOptions = { max: 2, per: 1_000 };

const sendLetter: HandlerDefinition<{ number: number }> = handler(letter, SendLetter, { rateLimit: pace });

export default sendLetter;
