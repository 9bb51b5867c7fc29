import { createHash } from 'node:crypto';
import type { Clock } from '@warren/core';
import { Records } from '@warren/store';
import type { Store } from '@warren/store';
import type { Limit } from './limit.js';
import type { Claim, Limiter } from './limiter.js';
import { RoundTrip } from './round-trip.js';
import { paused, seen, waitIn, withoutStart, withStart } from './shared-window.js';
import type { SharedWindow } from './shared-window.js';
import { SharedRecord } from './shared-record.js';
import { StoreClock } from './store-clock.js';

export interface StoreLimiterOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** A key as it is: printable and short. Others, which may come from a stranger's message, are kept as their hash. */
const PLAIN = /^[\x20-\x7e]{1,300}$/;

/** Records of keys below which nobody looks for idle ones. */
const FEW_KEYS = 1_024;

/** How long a start may follow its count: as long as it takes to count it, and these milliseconds; at first it is a guess. */
const GUESS = 15;
const LEAST = 2;

/**
 * Counts starts in a store, for all workers that share it. A start is written down for the moment by which it will have begun at the latest, by the
 * store's clock, and counts from there: what begins earlier than it is counted never makes a window too full. Where the store took longer
 * than that the start is taken back, and asked for again.
 */
export class StoreLimiter implements Limiter {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #time: StoreClock;
  readonly #records: Records<SharedWindow>;
  readonly #keys = new Map<string, SharedRecord>();
  #sweepAt = FEW_KEYS;
  readonly #counting = new RoundTrip(GUESS);

  constructor({ store, clock }: StoreLimiterOptions) {
    this.#clock = clock;
    this.#time = new StoreClock(store, clock);
    this.#records = new Records(store, 'limit/');
  }

  /** Rejects where the store cannot be used. */
  async check(): Promise<void> {
    await this.#time.fresh();
  }

  async take(claims: readonly Claim[]): Promise<number> {
    for (let patience = 1; ; patience *= 2) {
      await this.#time.fresh();
      const began = this.#clock.monotonic();
      const by = this.#time.now.latest + patience * this.#counting.bound + LEAST;
      const wait = await this.#takeAll(claims, by);
      this.#counting.took(this.#clock.monotonic() - began);
      if (wait > 0 || this.#time.now.latest <= by) return wait;
      await this.#takeBack(claims, by);
    }
  }

  async pause(key: string, ms: number): Promise<void> {
    await this.#time.fresh();
    await this.#record(key).change((window, { latest }) => [paused(window, latest + ms), undefined]);
  }

  /** All, or none. The narrowest first: what is taken back again has kept nobody else waiting. */
  async #takeAll(claims: readonly Claim[], by: number): Promise<number> {
    const taken: Claim[] = [];
    for (const claim of claims.toReversed()) {
      const wait = await this.#take(this.#record(claim.key), claim.limit, by);
      if (wait > 0) {
        await this.#takeBack(taken, by);
        return wait;
      }
      taken.push(claim);
    }
    return 0;
  }

  #take(record: SharedRecord, limit: Limit, by: number): Promise<number> {
    return record.change((window, now) => {
      const wait = waitIn(window, limit, now);
      if (wait > 0 || limit.max === Infinity) return [window, wait];
      return [withStart(seen(window, limit.per, now), limit, by), 0];
    });
  }

  async #takeBack(claims: readonly Claim[], by: number): Promise<void> {
    const counted = claims.filter(({ limit }) => limit.max !== Infinity);
    await Promise.all(
      counted.map(({ key, limit }) => this.#record(key).change((window) => [withoutStart(window, limit, by), undefined])),
    );
  }

  #record(key: string): SharedRecord {
    const name = `${this.#time.epoch}/${PLAIN.test(key) ? key : createHash('sha256').update(key).digest('base64url')}`;
    let record = this.#keys.get(name);
    if (!record) {
      this.#sweep();
      this.#keys.set(name, (record = new SharedRecord(name, { records: this.#records, clock: this.#time })));
    }
    return record;
  }

  /** Two objects for one key would be no more than two processes are. */
  #sweep(): void {
    if (this.#keys.size < this.#sweepAt) return;
    for (const [name, record] of this.#keys) if (record.idle) this.#keys.delete(name);
    this.#sweepAt = Math.max(FEW_KEYS, this.#keys.size * 2);
  }
}
