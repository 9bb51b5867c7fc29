import type { Clock } from '@warren/core';
import type { Claim, Limiter } from './limiter.js';
import { StartWindow } from './start-window.js';

/** Keys below which nobody looks for windows that are over. */
const FEW_KEYS = 1_024;

/** Milliseconds between two looks at a full memory, so that a flood of keys costs little. */
const SWEEP_PAUSE = 100;

export interface LocalLimiterOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Keys with a window under way at a time; a further key waits until one is over. */
  readonly maxKeys: number;
}

/** Counts starts in this process. A key is forgotten when its window is over, never sooner; no key is dropped to make room. */
export class LocalLimiter implements Limiter {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #maxKeys: number;
  readonly #windows = new Map<string, StartWindow>();
  #sweepAt: number;
  /** While all keys are taken: when the first of them is over. */
  #fullUntil = -Infinity;

  constructor({ clock, maxKeys }: LocalLimiterOptions) {
    this.#clock = clock;
    this.#maxKeys = maxKeys;
    this.#sweepAt = Math.min(FEW_KEYS, maxKeys);
  }

  /** Keys in memory. */
  get keys(): number {
    return this.#windows.size;
  }

  take(claims: readonly Claim[]): number {
    const now = this.#clock.monotonic();
    let wait = 0;
    for (const claim of claims) wait = Math.max(wait, this.#wait(claim, now));
    if (wait > 0) return wait;
    for (const { key, limit } of claims) if (limit.max !== Infinity) this.#window(key).add(limit, now);
    return 0;
  }

  /** Between `take` and the handler's first line there may be a garbage collection, enough for one start too many in a window. */
  started(claims: readonly Claim[]): void {
    const now = this.#clock.monotonic();
    for (const { key, limit } of claims) if (limit.max !== Infinity) this.#windows.get(key)?.moveLast(now);
  }

  /** A pause is kept above `maxKeys` too: it must not be lost. */
  pause(key: string, ms: number): void {
    const now = this.#clock.monotonic();
    this.#room(now);
    this.#window(key).pause(now + ms);
  }

  #wait({ key, limit }: Claim, now: number): number {
    const window = this.#windows.get(key);
    if (window) return window.wait(limit, now);
    return limit.max === Infinity ? 0 : this.#room(now);
  }

  /** Milliseconds until there is room for one more key. */
  #room(now: number): number {
    if (this.#windows.size >= this.#sweepAt && now >= this.#fullUntil) this.#sweep(now);
    return this.#windows.size < this.#maxKeys ? 0 : Math.max(0, this.#fullUntil - now);
  }

  /** Each sweep halves what is looked at, or doubles when the next one comes: its cost for a take is constant. */
  #sweep(now: number): void {
    let first = Infinity;
    for (const [key, window] of this.#windows) {
      if (window.over <= now) this.#windows.delete(key);
      else first = Math.min(first, window.over);
    }
    this.#sweepAt = Math.min(this.#maxKeys, Math.max(FEW_KEYS, this.#windows.size * 2));
    this.#fullUntil = this.#windows.size < this.#maxKeys ? -Infinity : Math.max(first, now + SWEEP_PAUSE);
  }

  #window(key: string): StartWindow {
    let window = this.#windows.get(key);
    if (!window) this.#windows.set(key, (window = new StartWindow()));
    return window;
  }
}
