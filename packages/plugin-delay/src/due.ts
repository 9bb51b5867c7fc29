import { isDate } from 'node:util/types';
import { InvalidOptionError, milliseconds } from '@warren/core';
import type { PublishOptions } from '@warren/core';
import { DelayAmbiguousError, DelayTooLongError } from './errors.js';
import { MAX_DELAY } from './levels.js';

/**
 * The whole milliseconds, rounded up, that a message waits from `now` on; 0 for one that is not delayed, or was due before.
 * Throws `ERR_INVALID_OPTION`, `ERR_DELAY_AMBIGUOUS` or `ERR_DELAY_TOO_LONG`.
 */
export function delayOf({ delay, at }: Pick<PublishOptions, 'delay' | 'at'>, now: number): number {
  if (delay !== undefined && at !== undefined) throw new DelayAmbiguousError();
  const ms = wholeUp(at === undefined ? milliseconds(delay === undefined ? 0 : delay, 'delay') : momentOf(at) - now);
  if (ms > MAX_DELAY) throw new DelayTooLongError({ ms, max: MAX_DELAY });
  return Math.max(0, ms);
}

/** Rounds up after a look at microseconds: '1.1s' is 1100.0000000000002 in binary, and means 1100. */
function wholeUp(ms: number): number {
  return Math.ceil(Math.round(ms * 1_000) / 1_000);
}

function momentOf(at: unknown): number {
  if (isDate(at) && !Number.isNaN(at.getTime())) return at.getTime();
  throw new InvalidOptionError({ option: 'at', expected: 'a valid Date', got: at });
}
