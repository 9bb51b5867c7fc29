import type { Logger } from '@warren/core';

/** Says once that the store cannot be asked, and once that it can again. */
export class Outage {
  readonly #logger: Logger;
  #lasts = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  failed(error: unknown): void {
    if (this.#lasts) return;
    this.#lasts = true;
    this.#logger.error(
      { err: error },
      'idempotency: the store cannot be asked; jobs wait, or run without their keys where onStoreError says so',
    );
  }

  over(): void {
    if (!this.#lasts) return;
    this.#lasts = false;
    this.#logger.info({}, 'idempotency: the store answers again');
  }
}
