import { InvalidOptionError } from './errors.js';

/** Milliseconds, or text such as `'250ms'`, `'10m'`, `'1h30m'`, `'2d'`. */
export type Duration = number | string;

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** The milliseconds in `duration`. Throws `ERR_INVALID_OPTION`, naming `option`, for anything else, negative and infinite numbers included. */
export function milliseconds(duration: Duration, option = 'duration'): number {
  const ms = typeof duration === 'string' && WHOLE.test(duration) ? sumOf(duration) : duration;
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return ms;
  throw new InvalidOptionError({ option, expected: "milliseconds, or text such as '10m' or '1h30m'", got: duration });
}

function sumOf(text: string): number {
  return [...text.matchAll(PART)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0);
}
