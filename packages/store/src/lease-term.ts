import type { Clock } from '@warren/core';

export interface LeaseTermOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly duration: number;
  /** The clock's monotonic time from which it counts. */
  readonly since: number;
  /** Makes a write, which extends the term if it succeeds. */
  readonly renew: () => Promise<void>;
  /** Called once, with why the last renewal failed. */
  readonly onOver: (cause: unknown) => void;
}

/** Into which part of its duration the renewals come, and after one that failed the next. */
const RENEWED = 1 / 3;
const RENEWED_AGAIN = 1 / 9;

/** The time of a lease: renewed while it runs, until it is ended, or is over. */
export class LeaseTerm {
  readonly #options: LeaseTermOptions;
  #since: number;
  #ended = false;
  /** Monotonic, when the last renewal began, and why it failed. */
  #renewing = -Infinity;
  #failure: unknown;
  #cancelRenewal: (() => void) | undefined;
  #cancelExpiry: (() => void) | undefined;

  constructor(options: LeaseTermOptions) {
    this.#options = options;
    this.#since = options.since;
    this.#watch();
    this.#renewIn(RENEWED);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get expired(): boolean {
    const { clock, duration } = this.#options;
    return clock.monotonic() - this.#since >= duration;
  }

  /** It counts from `since` on: no later than the store's own time of the write. */
  extend(since: number): void {
    this.#since = since;
    if (!this.#ended) this.#watch();
  }

  /** No more renewals, and nobody is told that it is over. */
  end(): void {
    this.#ended = true;
    this.#cancelRenewal?.();
    this.#cancelExpiry?.();
  }

  #renewIn(part: number): void {
    const { clock, duration } = this.#options;
    this.#cancelRenewal = clock.schedule(duration * part, () => void this.#renew());
  }

  /** A store that does not answer may be back before the lease is over. Whose answer came too late has said that nobody had taken the record. */
  async #renew(): Promise<void> {
    const { clock, renew, onOver } = this.#options;
    this.#renewing = clock.monotonic();
    const renewed = await renew().then(
      () => true,
      (error: unknown) => {
        this.#failure = error;
        return false;
      },
    );
    if (this.#ended) return;
    if (!this.expired) this.#renewIn(renewed ? RENEWED : RENEWED_AGAIN);
    else if (renewed) await this.#renew();
    else onOver(this.#failure);
  }

  /**
   * The holder learns at the end of its time that it was not renewed, also while the store still lets it wait for an answer. But where the
   * process stood still until now, the renewal begins only now: its answer says whether somebody has taken the record.
   */
  #watch(): void {
    const { clock, duration, onOver } = this.#options;
    const end = this.#since + duration;
    this.#cancelExpiry?.();
    this.#cancelExpiry = clock.schedule(end - clock.monotonic(), () => {
      if (this.#renewing < end) onOver(this.#failure);
    });
  }
}
