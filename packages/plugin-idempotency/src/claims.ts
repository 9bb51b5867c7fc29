import { randomUUID } from 'node:crypto';
import type { Clock } from '@warren/core';
import { CorruptRecordError, Lease } from '@warren/store';
import type { LeaseLostError, RecordEntry, Records } from '@warren/store';
import type { Settings } from './options.js';
import type { Done, KeyRecord, Running } from './record.js';

/** What a job's key was found to be. */
export type Claim =
  | { readonly kind: 'mine'; readonly lease: Lease<KeyRecord> }
  /** Somebody else's, who has shown life `age` milliseconds ago: for `ms` more, unless that one renews it. */
  | { readonly kind: 'busy'; readonly ms: number; readonly age: number }
  | { readonly kind: 'done'; readonly record: Done }
  /** It stands for another message. */
  | { readonly kind: 'conflict' };

export interface ClaimRequest {
  readonly key: string;
  readonly fingerprint: string;
  readonly onLost: (error: LeaseLostError) => void;
}

export interface ClaimsParts {
  readonly records: Records<KeyRecord>;
  readonly clock: Clock;
  readonly settings: Settings;
}

/** Takes keys: absent ones, and those whose owner has not renewed them in time. */
export class Claims {
  readonly #parts: ClaimsParts;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Rejects as the store does. */
  async claim(request: ClaimRequest): Promise<Claim> {
    const { records, clock } = this.#parts;
    const { key, fingerprint } = request;
    const value: Running = { state: 'running', owner: randomUUID(), fingerprint, lease: this.#parts.settings.lease };
    // Another round only where somebody else has changed the record in between.
    for (;;) {
      const since = clock.monotonic();
      const version = await records.putIfAbsent(key, value, { ttl: this.#ttl });
      if (version !== undefined) return this.#mine(request, { value, version, since });
      const found = await records.get(key);
      if (!found) continue;
      const verdict = judged(found, request);
      if (verdict) return verdict;
      const taken = await records.replaceIfVersion(key, found.version, { value, ttl: this.#ttl });
      if (taken !== undefined) return this.#mine(request, { value, version: taken, since });
    }
  }

  /** From before the claim was asked for: its answer may have taken long. */
  #mine({ key, onLost }: ClaimRequest, written: { value: Running; version: number; since: number }): Claim {
    const { records, clock, settings } = this.#parts;
    const { lease: duration } = settings;
    return { kind: 'mine', lease: new Lease<KeyRecord>({ records, key, ...written, duration, ttl: this.#ttl, clock, onLost }) };
  }

  /** A record outlives its lease: who takes it over has to find it. */
  get #ttl(): number {
    const { ttl, lease } = this.#parts.settings;
    return Math.max(ttl, lease);
  }
}

/** What a record means for a message; undefined where its lease is over. */
function judged({ value, age }: RecordEntry<KeyRecord>, { key, fingerprint }: ClaimRequest): Claim | undefined {
  // Read from a store that others may write to, too.
  const { state } = (value ?? {}) as Partial<KeyRecord>;
  if (state !== 'running' && state !== 'done') throw new CorruptRecordError({ key });
  if (value.fingerprint !== fingerprint) return { kind: 'conflict' };
  if (value.state === 'done') return { kind: 'done', record: value };
  const ms = value.lease - age;
  return ms > 0 ? { kind: 'busy', ms, age } : undefined;
}
