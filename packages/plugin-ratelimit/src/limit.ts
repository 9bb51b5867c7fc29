import { InvalidOptionError, milliseconds, requireOptions } from '@warren/core';
import type { Duration, Job } from '@warren/core';

/** At most `max` starts in any window of `per` milliseconds. `max` is a whole number, or Infinity. */
export interface Limit {
  readonly max: number;
  readonly per: number;
}

/** A limit as it is configured: an object, or text such as `'10/s'`, `'200/m'`, `'5/2m'`. */
export type RateLimit = string | RateLimitOptions;

export interface RateLimitOptions {
  /** Starts in any window; also a burst's size. Infinity limits nothing until it is changed. */
  max: number;
  /** The window: milliseconds, or text such as `'1m'`. Default 1000. */
  per?: Duration;
  /** Limits each key by itself, a tenant for example. */
  key?: (job: Job) => string;
}

const DEFAULT_WINDOW = 1_000;
const TEXT = /^(\d+)\/(.+)$/;

/** Reads a configured limit. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`, naming `option`. */
export function limitOf(given: RateLimit, option: string): Limit {
  if (typeof given === 'string') return limitOfText(given, option);
  if (typeof given !== 'object' || given === null) throw invalid(option, given);
  requireOptions(given, option, ['max', 'per', 'key']);
  const { max, per = DEFAULT_WINDOW, key } = given;
  if (key !== undefined && typeof key !== 'function') {
    throw new InvalidOptionError({ option: `${option}.key`, expected: 'a function of the job that returns text', got: key });
  }
  return { max: maxOf(max, `${option}.max`), per: windowOf(per, `${option}.per`) };
}

function limitOfText(text: string, option: string): Limit {
  const [, max, per] = TEXT.exec(text) ?? [];
  if (max === undefined || per === undefined) throw invalid(option, text);
  const window = /^\d/.test(per) ? per : `1${per}`;
  try {
    return { max: maxOf(Number(max), option), per: windowOf(window, option) };
  } catch {
    throw invalid(option, text);
  }
}

function maxOf(max: unknown, option: string): number {
  if (max === Infinity || (Number.isSafeInteger(max) && (max as number) >= 1)) return max as number;
  throw new InvalidOptionError({ option, expected: 'a whole number, 1 or more, or Infinity', got: max });
}

function windowOf(per: Duration, option: string): number {
  const window = milliseconds(per, option);
  if (window > 0) return window;
  throw new InvalidOptionError({ option, expected: 'a window longer than 0', got: per });
}

function invalid(option: string, got: unknown): InvalidOptionError {
  return new InvalidOptionError({ option, expected: "{ max, per?, key? }, or text such as '10/s', '200/m' or '5/2m'", got });
}
