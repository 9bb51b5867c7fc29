import { InvalidOptionError, milliseconds, requireOptions } from '@warren/core';
import type { Duration } from '@warren/core';
import { requireStore } from '@warren/store';
import type { Store } from '@warren/store';
import { limitOf } from './limit.js';
import type { RateLimitOptions } from './limit.js';
import { prefetchOf } from './prefetch.js';
import type { PrefetchOptions } from './prefetch.js';
import { slowStartOf } from './slow-start.js';
import type { SlowStartOptions } from './slow-start.js';

/** The worker's own limit, over all its handlers, and how deliveries are throttled. */
export interface RateLimitPluginOptions extends Partial<RateLimitOptions>, PrefetchOptions {
  /**
   * How long a job may wait unacknowledged; then plugin-delay keeps it, or it goes back to its queue. Milliseconds or text. Default 5 minutes,
   * well under the 30 after which a broker takes its consumer for dead: rabbitmq.com/docs/consumers#acknowledgement-timeout.
   */
  maxHold?: Duration;
  /** Keys that are counted at a time in this process; a further one waits. Default 100 000. */
  maxKeys?: number;
  /** Where starts are counted for all workers that share it: a URL (docs/stores.md), or a store of one's own. Without it, in this process. */
  store?: string | Store;
  /** How handlers begin on a backlog after each connection. Default `{ initial: 1, interval: 1000 }`; false begins at once. */
  slowStart?: false | SlowStartOptions;
}

const DEFAULTS = { maxHold: 300_000, maxKeys: 100_000, slowStart: {} } satisfies RateLimitPluginOptions;
const LIMIT_OPTIONS = ['max', 'per', 'key'] as const;
const OPTIONS = [...LIMIT_OPTIONS, 'prefetch', 'channelPrefetch', 'maxHold', 'maxKeys', 'store', 'slowStart'];

/** The plugin's options, checked, with every default filled in. Durations are milliseconds. */
export interface RateLimitSettings {
  /** The worker's own limit. */
  readonly worker: RateLimitOptions | undefined;
  readonly prefetch: PrefetchOptions;
  readonly maxHold: number;
  readonly maxKeys: number;
  readonly store: string | Store | undefined;
  readonly slowStart: { readonly initial: number; readonly interval: number } | undefined;
}

/** Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION` for the first that is wrong. */
export function settingsOf(given: string | RateLimitPluginOptions): RateLimitSettings {
  const options: RateLimitPluginOptions = typeof given === 'string' ? limitOf(given, 'rateLimit') : given;
  requireOptions(options, 'rateLimit', OPTIONS);
  const { maxHold = DEFAULTS.maxHold, maxKeys = DEFAULTS.maxKeys, store, slowStart = DEFAULTS.slowStart } = options;
  requireStore(store);
  return {
    worker: workerLimit(options),
    prefetch: prefetchOf(options),
    maxHold: longerThanZero(maxHold, 'maxHold'),
    maxKeys: requireCount(maxKeys, 'maxKeys'),
    store,
    slowStart: slowStart === false ? undefined : slowStartOf(slowStart),
  };
}

function workerLimit(options: RateLimitPluginOptions): RateLimitOptions | undefined {
  const given = LIMIT_OPTIONS.flatMap((option) => (options[option] === undefined ? [] : [[option, options[option]]]));
  if (given.length === 0) return undefined;
  const limit = Object.fromEntries(given) as RateLimitOptions;
  limitOf(limit, 'rateLimit');
  return limit;
}

function longerThanZero(duration: Duration, option: string): number {
  const ms = milliseconds(duration, option);
  if (ms > 0) return ms;
  throw new InvalidOptionError({ option, expected: 'more than 0', got: duration });
}

function requireCount(got: number, option: string): number {
  if (Number.isSafeInteger(got) && got >= 1) return got;
  throw new InvalidOptionError({ option, expected: 'a whole number, 1 or more', got });
}
