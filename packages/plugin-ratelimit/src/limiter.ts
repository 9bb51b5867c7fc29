import { token } from '@warren/core';
import type { Awaitable, Token } from '@warren/core';
import type { Limit } from './limit.js';

/** One limit that a start has to respect, and what it counts under. */
export interface Claim {
  /** Limits with different keys count apart. At most some 500 characters. */
  readonly key: string;
  /** `max: Infinity` counts nothing: only a pause of the key holds. */
  readonly limit: Limit;
}

/**
 * Who counts the starts. `take` is atomic: it counts one start under all claims, or under none. The default counts in this process; one
 * that several processes share keeps its counts in a store, whose clock and latency then decide. What `take` rejects with is taken for
 * "not now": with a store that is away nothing starts (fail closed). A limiter that would rather fail open catches that itself.
 */
export interface Limiter {
  /** 0: counted, start now. Else nothing was counted, and it is the milliseconds until asking again can succeed. */
  take(claims: readonly Claim[]): Awaitable<number>;
  /** What was granted last has started: a limiter that shares the worker's clock counts it from now, for it cannot have been later. Optional. */
  started?(claims: readonly Claim[]): void;
  /** From now on nothing is granted under `key` for `ms` milliseconds, longer pauses stay. */
  pause(key: string, ms: number): Awaitable<void>;
}

/** The worker's limiter. Register another one before `start()` to share limits between processes. */
export const LIMITER: Token<Limiter> = token('limiter');
