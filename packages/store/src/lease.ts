import type { Clock } from '@warren/core';
import { LeaseLostError, StoreTimeoutError, StoreUnavailableError } from './errors.js';
import { LeaseTerm } from './lease-term.js';
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
  /** The clock's monotonic time before `value` was written: the lease counts from there, as the store does. Default: now. */
  readonly since?: number;
  /** Called once, when the lease was not renewed in time or somebody else has taken it. */
  readonly onLost: (error: LeaseLostError) => void;
}

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
  #lost: LeaseLostError | undefined;
  /** What was written by calls that failed, as JSON: the store may have taken it nevertheless. */
  #unheard: string[] = [];
  #writing: Promise<unknown> = Promise.resolve();
  readonly #term: LeaseTerm;

  constructor(options: LeaseOptions<T>) {
    this.#options = options;
    this.fence = options.version;
    this.#value = options.value;
    this.#version = options.version;
    const { clock, duration, since = clock.monotonic() } = options;
    const renew = (): Promise<void> => this.update((value) => value);
    this.#term = new LeaseTerm({ clock, duration, since, renew, onOver: (cause) => this.#lose(cause) });
  }

  /** What was written last. */
  get value(): T {
    return this.#value;
  }

  /** Set once the lease is lost. */
  get lost(): LeaseLostError | undefined {
    return this.#lost;
  }

  /** Replaces the value by what `change` makes of it, and renews. Rejects with `ERR_LEASE_LOST`, after `end` and `release` too, or as the store does. */
  async update(change: (value: T) => T): Promise<void> {
    if (this.#term.ended) throw this.#lost ?? new LeaseLostError({ key: this.#options.key });
    return this.#inTurn(async () => {
      try {
        await this.#write(change, this.#options);
      } catch (error) {
        if (!this.#lost) this.#unheard.push(JSON.stringify(change(this.#value)));
        throw error;
      }
    });
  }

  /**
   * Replaces the value for the last time; it expires in `ttl` milliseconds. A store that is away is tried again while the lease holds.
   * With the `records` of a transaction it is tried once, and counts when that commits. Rejects with `ERR_LEASE_LOST`, or as the store does.
   */
  async end(change: (value: T) => T, { ttl, records }: { ttl: number; records?: Records<T> }): Promise<void> {
    this.#term.end();
    for (;;) {
      try {
        return await this.#inTurn(() => this.#write(change, { ttl, records: records ?? this.#options.records }));
      } catch (error) {
        if (this.#lost || records || this.#term.expired || !isAway(error)) throw error;
        await this.#options.clock.sleep(PAUSE);
      }
    }
  }

  /** Deletes the record, if it is still the holder's; not when an end that was not heard of has happened. */
  async release(): Promise<void> {
    this.#term.end();
    const { records, key } = this.#options;
    await this.#inTurn(async () => {
      const deleted = await records.deleteIfVersion(key, this.#version);
      if (!deleted && (await this.#recognize(this.#unheard)) !== undefined) await records.deleteIfVersion(key, this.#version);
    });
  }

  async #write(change: (value: T) => T, { ttl, records }: { ttl: number; records: Records<T> }): Promise<void> {
    const { key, clock } = this.#options;
    for (;;) {
      if (this.#lost) throw this.#lost;
      const value = change(this.#value);
      const began = clock.monotonic();
      const version = await records.replaceIfVersion(key, this.#version, { value, ttl });
      // A transaction may still be rolled back, or be committed without our hearing of it: then the version is not ours to delete.
      if (version !== undefined) return records === this.#options.records ? this.#wrote(value, version, began) : undefined;
      const found = await this.#recognize([...this.#unheard, JSON.stringify(value)]);
      if (found === undefined) throw this.#lose();
      if (this.#term.ended && found === JSON.stringify(value)) return;
    }
  }

  #wrote(value: T, version: number, began: number): void {
    this.#value = value;
    this.#version = version;
    this.#unheard = [];
    this.#term.extend(began);
  }

  /** The record, where it is one of `own`: a write that was not heard of has happened. Values name their holder, so that equal ones are one's own. */
  async #recognize(own: readonly string[]): Promise<string | undefined> {
    const found = await this.#options.records.get(this.#options.key);
    const text = found && JSON.stringify(found.value);
    if (!found || !text || found.version <= this.#version || !own.includes(text)) return undefined;
    this.#value = found.value;
    this.#version = found.version;
    return text;
  }

  /** One write at a time: each needs the version of the one before. */
  #inTurn<R>(write: () => Promise<R>): Promise<R> {
    const result = this.#writing.then(write);
    this.#writing = result.catch(() => {});
    return result;
  }

  #lose(cause?: unknown): LeaseLostError {
    if (this.#lost) return this.#lost;
    const { key, onLost } = this.#options;
    this.#lost = new LeaseLostError({ key, cause });
    this.#term.end();
    onLost(this.#lost);
    return this.#lost;
  }
}

/** What the store refuses it would refuse again. */
function isAway(error: unknown): boolean {
  return error instanceof StoreUnavailableError || error instanceof StoreTimeoutError;
}
