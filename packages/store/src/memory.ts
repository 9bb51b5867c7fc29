import { SystemClock } from '@warren/core';
import type { Clock } from '@warren/core';
import { GuardedStore } from './guarded-store.js';
import { MemoryStore } from './memory-store.js';
import type { Store } from './store.js';

export interface MemoryOptions {
  /** Milliseconds that a call may take. */
  readonly timeout: number;
  /** What records age and expire by. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** How many records there may be. Default: 100 000. */
  readonly limit?: number;
}

/** `memory:`: a store of its own, gone with its `close`. */
export function memoryStore({ timeout, clock = new SystemClock(), limit = 100_000 }: MemoryOptions): Store {
  return new GuardedStore({ name: 'memory:', timeout, open: async () => new MemoryStore({ clock, limit }) });
}
