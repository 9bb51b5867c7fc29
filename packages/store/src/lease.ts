import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@warren/core';
import { LeaseLostError } from './errors.js';
import type { Records } from './records.js';

export interface LeaseOptions<T> {
  readonly records: Records<T>;
  readonly key: string;
  /** What the holder has written, with a name of its own in it, and the version that this gave. */
  readonly value: T;
  readonly version: number;
  /** Milliseconds that the record may be old before others may take it. */
  readonly duration: number;
  /** Milliseconds until the record expires, given anew with each write. */
  readonly ttl: number;
  readonly clock: Clock;
  /** Called once, when the lease was not renewed in time or somebody else has taken it. */
  readonly onLost: (error: LeaseLostError) => void;
}

/** Renewed when so much of its duration is over: two renewals may fail. */
const RENEWALS = 3;

/** Before a last write is tried again; milliseconds. */
const PAUSE = 250;

/**
 * A record that its holder keeps young while it works: whoever finds it older than its duration may take it. All writes of the
 * holder go through the lease, one after another, each under the version of the last: a write after somebody took the record is refused.
 * Gray and Cheriton, "Leases", SOSP 1989; the version is the fencing token of Kleppmann, "How to do distributed locking", 2016.
 */
export class Lease<T> {
  readonly #options: LeaseOptions<T>;
  /** The version when it was taken, greater than that of every holder before: for effects that can check it. */
  readonly fence: number;
  #value: T;
  #version: number;
  /** Monotonic, before the last write that succeeded: no later than the store's own time of it. */
  #written: number;
  #lost: LeaseLostError | undefined;
  /** What was written by a call that failed: the store may have taken it nevertheless. */
  #uncertain: T | undefined;
  #ended = false;
  #writing: Promise<unknown> = Promise.resolve();
  #cancelRenewal: (() => void) | undefined;

  constructor(options: LeaseOptions<T>) {
    this.#options = options;
    this.fence = options.version;
    this.#value = options.value;
    this.#version = options.version;
    this.#written = options.clock.monotonic();
    this.#renewLater();
  }

  /** What was written last. */
  get value(): T {
    return this.#value;
  }

  /** Set once the lease is lost. */
  get lost(): LeaseLostError | undefined {
    return this.#lost;
  }

  /** Replaces the value by what `change` makes of it, and renews. Rejects with `ERR_LEASE_LOST`, or as the store does. */
  update(change: (value: T) => T): Promise<void> {
    return this.#write(change, this.#options.ttl);
  }

  /**
   * Replaces the value for the last time; it expires in `ttl` milliseconds. A store that is away is tried again while the lease holds.
   * With the `records` of a transaction it is tried once, and counts when that commits. Rejects with `ERR_LEASE_LOST`, or as the store does.
   */
  async end(change: (value: T) => T, { ttl, records }: { ttl: number; records?: Records<T> }): Promise<void> {
    this.#stop();
    for (;;) {
      try {
        return await this.#write(change, ttl, records);
      } catch (error) {
        if (this.#lost || records || this.#expired) throw error;
        await this.#options.clock.sleep(PAUSE);
      }
    }
  }

  /** Deletes the record, if it is still the holder's. */
  async release(): Promise<void> {
    this.#stop();
    await this.#inTurn(() => this.#options.records.deleteIfVersion(this.#options.key, this.#version));
  }

  #stop(): void {
    this.#ended = true;
    this.#cancelRenewal?.();
  }

  #write(change: (value: T) => T, ttl: number, records: Records<T> = this.#options.records): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#lost) throw this.#lost;
      const { key, clock } = this.#options;
      if (this.#uncertain) await this.#settleUncertain();
      const value = change(this.#value);
      const began = clock.monotonic();
      this.#uncertain = value;
      const version = await records.replaceIfVersion(key, this.#version, { value, ttl });
      this.#uncertain = undefined;
      if (version === undefined) throw this.#lose();
      // A transaction may still be rolled back, or be committed without our hearing of it: then the version is not ours to delete.
      if (records !== this.#options.records) return;
      this.#value = value;
      this.#version = version;
      this.#written = began;
    });
  }

  /** Values name their holder, so that equal ones are one's own. */
  async #settleUncertain(): Promise<void> {
    const found = await this.#options.records.get(this.#options.key);
    if (found && isDeepStrictEqual(found.value, this.#uncertain)) {
      this.#value = found.value;
      this.#version = found.version;
    }
    this.#uncertain = undefined;
  }

  /** One write at a time: each needs the version of the one before. */
  #inTurn<R>(write: () => Promise<R>): Promise<R> {
    const result = this.#writing.then(write);
    this.#writing = result.catch(() => {});
    return result;
  }

  #renewLater(): void {
    const { clock, duration } = this.#options;
    this.#cancelRenewal = clock.schedule(duration / RENEWALS, () => void this.#renew());
  }

  /** A store that does not answer may be back before the lease is over. */
  async #renew(): Promise<void> {
    try {
      await this.update((value) => value);
    } catch (error) {
      if (!this.#lost && this.#expired) this.#lose(error);
    }
    if (!this.#ended && !this.#lost) this.#renewLater();
  }

  get #expired(): boolean {
    const { clock, duration } = this.#options;
    return clock.monotonic() - this.#written >= duration;
  }

  #lose(cause?: unknown): LeaseLostError {
    const { key, onLost } = this.#options;
    this.#lost = new LeaseLostError({ key, cause });
    this.#stop();
    onLost(this.#lost);
    return this.#lost;
  }
}
