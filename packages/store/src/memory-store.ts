import type { Clock } from '@warren/core';
import { StoreLimitError } from './errors.js';
import type { Entry, ListedEntry, PutOptions, Store } from './store.js';

interface Held {
  readonly value: string;
  readonly version: number;
  readonly written: number;
  /** Infinity where there is no ttl. */
  readonly expires: number;
}

/** Records that a write looks at for expired ones, going around. */
const SWEPT = 16;

/** Records in this process, at most `limit` of them. Live ones are never evicted: a lost claim would be a second effect. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #records = new Map<string, Held>();
  #sweep: MapIterator<[string, Held]> = this.#records.entries();
  /** No record expires before. */
  #soonest = Infinity;
  #version = 0;

  constructor({ clock, limit }: { readonly clock: Clock; readonly limit: number }) {
    this.#clock = clock;
    this.#limit = limit;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#entry(key);
  }

  async putIfAbsent(key: string, value: string, { ttl }: PutOptions = {}): Promise<number | undefined> {
    if (this.#entry(key)) return undefined;
    this.#makeRoom();
    return this.#put(key, value, ttl);
  }

  async replaceIfVersion(
    key: string,
    version: number,
    { value, ttl }: { readonly value: string } & PutOptions,
  ): Promise<number | undefined> {
    return this.#entry(key)?.version === version ? this.#put(key, value, ttl) : undefined;
  }

  async deleteIfVersion(key: string, version: number): Promise<boolean> {
    return this.#entry(key)?.version === version && this.#records.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<ListedEntry> {
    const keys = [...this.#records.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys) {
      const entry = this.#entry(key);
      if (entry) yield { key, ...entry };
    }
  }

  async close(): Promise<void> {
    this.#records.clear();
  }

  #entry(key: string): Entry | undefined {
    const held = this.#records.get(key);
    const now = this.#clock.monotonic();
    if (!held || held.expires <= now) return undefined;
    return { value: held.value, version: held.version, age: now - held.written };
  }

  #put(key: string, value: string, ttl = Infinity): number {
    const written = this.#clock.monotonic();
    const version = ++this.#version;
    this.#records.set(key, { value, version, written, expires: written + ttl });
    this.#soonest = Math.min(this.#soonest, written + ttl);
    return version;
  }

  #makeRoom(): void {
    this.#removeExpired(SWEPT);
    if (this.#records.size < this.#limit) return;
    if (this.#soonest <= this.#clock.monotonic()) this.#removeAllExpired();
    if (this.#records.size < this.#limit) return;
    throw new StoreLimitError({ what: 'A store in memory', limit: `${this.#limit} records`, got: 'one more' });
  }

  #removeExpired(count: number): void {
    const now = this.#clock.monotonic();
    for (let left = count; left > 0; left--) {
      const { done, value } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#records.entries();
        return;
      }
      if (value[1].expires <= now) this.#records.delete(value[0]);
    }
  }

  /** Once for all that have expired until now: a full store refuses quickly. */
  #removeAllExpired(): void {
    this.#sweep = this.#records.entries();
    this.#removeExpired(this.#records.size);
    this.#soonest = Infinity;
    for (const { expires } of this.#records.values()) this.#soonest = Math.min(this.#soonest, expires);
  }
}
