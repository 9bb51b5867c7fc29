import { InvalidOptionError, milliseconds, requireOptions } from '@warren/core';
import type { Duration } from '@warren/core';
import type { Store } from '@warren/store';

export interface TasksOptions {
  /** `memory:`, `lmdb:./folder`, `redis://…`, `postgres://…`, or a store of one's own. Default: the one that the worker's plugins share. */
  store?: string | Store;
  /** False keeps no records and needs no store: no states, results, unique or cancelled tasks, chains, groups. Default true. */
  records?: boolean;
  /** How long the record of a finished task is kept (of a cancelled one: when its message has come); milliseconds or text. Default 7 days. */
  keep?: Duration;
  /** How long that of any other is kept beyond the moment when it is due, and of what a group or a replay may still need. At least `lease`. Default 90 days. */
  keepUnfinished?: Duration;
  /** How long a task stays with a worker that gives no sign of life. Renewed while it runs. Default 30 seconds. */
  lease?: Duration;
  /** Bytes of JSON; a longer result is not kept. Default 64 KiB, at most 128 KiB. */
  maxResultBytes?: number;
}

/** The plugin's options, checked, with every default filled in. Durations are milliseconds. */
export interface TasksSettings {
  readonly store: string | Store | undefined;
  readonly records: boolean;
  readonly keep: number;
  readonly keepUnfinished: number;
  readonly lease: number;
  readonly maxResultBytes: number;
}

const DEFAULTS = {
  records: true,
  keep: '7d',
  keepUnfinished: '90d',
  lease: '30s',
  maxResultBytes: 64 * 2 ** 10,
} satisfies TasksOptions;

/** Half of what a store's record can hold. */
const MAX_RESULT_BYTES = 128 * 2 ** 10;

/** A shorter one would be lost to a pause of the garbage collector. */
const MIN_LEASE = 100;

/** Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION` for the first that is wrong. */
export function settingsOf(options: TasksOptions = {}): TasksSettings {
  requireOptions(options, 'tasks', ['store', ...Object.keys(DEFAULTS)]);
  const { store, records, keep, keepUnfinished, lease, maxResultBytes } = { ...DEFAULTS, ...options };
  require('records', 'true or false', records, typeof records === 'boolean');
  require('maxResultBytes', `a whole number from 0 to ${MAX_RESULT_BYTES}`, maxResultBytes, isSize(maxResultBytes));
  const leased = atLeast(MIN_LEASE, lease, 'tasks lease');
  return {
    store,
    records,
    keep: atLeast(1, keep, 'tasks keep'),
    // A record that expires under its lease would let the task run twice at a time.
    keepUnfinished: atLeast(leased, keepUnfinished, 'tasks keepUnfinished'),
    lease: leased,
    maxResultBytes,
  };
}

function atLeast(min: number, given: Duration, option: string): number {
  const ms = Math.ceil(milliseconds(given, option));
  if (ms >= min) return ms;
  throw new InvalidOptionError({ option, expected: `${min} milliseconds or more`, got: given });
}

function isSize(given: unknown): boolean {
  return Number.isSafeInteger(given) && (given as number) >= 0 && (given as number) <= MAX_RESULT_BYTES;
}

function require(option: string, expected: string, got: unknown, holds: boolean): void {
  if (!holds) throw new InvalidOptionError({ option: `tasks ${option}`, expected, got });
}
