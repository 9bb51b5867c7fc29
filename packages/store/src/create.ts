import { milliseconds, redactUrl } from '@warren/core';
import type { Clock, Duration } from '@warren/core';
import { StoreUrlError } from './errors.js';
import { lmdbStore } from './lmdb.js';
import { memoryStore } from './memory.js';
import { postgresStore } from './postgres.js';
import { redisStore } from './redis.js';
import type { Store } from './store.js';

export interface CreateStoreOptions {
  /** Within which each call is answered, or rejects with `ERR_STORE_TIMEOUT`. Default: 5 seconds. */
  readonly timeout?: Duration;
  /** `memory:` only: what records age and expire by. Default: the machine's clock. */
  readonly clock?: Clock;
}

interface OpenOptions {
  readonly timeout: number;
  readonly clock: Clock | undefined;
}

const SCHEMES: ReadonlyMap<string, (url: string, options: OpenOptions) => Store> = new Map([
  ['memory:', (_url, options) => memoryStore(options)],
  ['lmdb:', lmdbStore],
  ['redis:', redisStore],
  ['rediss:', redisStore],
  ['postgres:', postgresStore],
  ['postgresql:', postgresStore],
]);

/**
 * The store at `url`: `memory:`, `lmdb:./folder`, `redis://host:6379` or `postgres://user:password@host:5432/database`. It connects at
 * its first call. Throws `ERR_STORE_URL`; a client that is not installed rejects that call with `ERR_STORE_CLIENT_MISSING`.
 */
export function createStore(url: string, options: CreateStoreOptions = {}): Store {
  // Not from TypeScript, or from an environment that does not name a store.
  if (typeof url !== 'string') throw new StoreUrlError({ got: String(url) });
  const create = SCHEMES.get(url.slice(0, url.indexOf(':') + 1));
  if (!create) throw new StoreUrlError({ got: redactUrl(url) });
  return create(url, { timeout: milliseconds(options.timeout ?? '5s', 'store timeout'), clock: options.clock });
}
