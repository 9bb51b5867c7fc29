// A delay is a number in a mixed radix, the one of clocks: each digit is a queue that holds a message for digit × unit.

export interface Level {
  /** Milliseconds that its digit 1 stands for. */
  readonly unit: number;
  /** Its largest digit. */
  readonly max: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Most significant first. Round delays (5 s, 1 min, 1 h, 7 d) have one digit that is not 0, so one queue to wait in. */
export const LEVELS: readonly Level[] = [
  { unit: 100 * DAY, max: 9 },
  { unit: 10 * DAY, max: 9 },
  { unit: DAY, max: 9 },
  { unit: HOUR, max: 23 },
  { unit: 10 * MINUTE, max: 5 },
  { unit: MINUTE, max: 9 },
  { unit: 10 * SECOND, max: 5 },
  { unit: SECOND, max: 9 },
  { unit: 100, max: 9 },
  { unit: 10, max: 9 },
  { unit: 1, max: 9 },
];

/** The longest delay, in milliseconds: every digit at its largest, 999 days 23:59:59.999. */
export const MAX_DELAY: number = LEVELS.reduce((sum, { unit, max }) => sum + max * unit, 0);

/** The digits of `ms`, a whole number from 0 to `MAX_DELAY`; one for each level. */
export function digitsOf(ms: number): number[] {
  let rest = ms;
  return LEVELS.map(({ unit }) => {
    const digit = Math.floor(rest / unit);
    rest -= digit * unit;
    return digit;
  });
}

/** The shortest delay of at least `ms` that takes no more hops than `hops`: its least digits are rounded up into the last one that is left. */
export function withinHops(ms: number, hops: number): number {
  let rest = ms;
  let left = hops;
  for (const { unit } of LEVELS) {
    const digit = Math.floor(rest / unit);
    rest -= digit * unit;
    if (digit > 0 && --left === 0) return rest > 0 ? ms - rest + unit : ms;
  }
  return ms;
}

/** The queues that a message with this delay passes: its digits that are not 0. */
export function hopsOf(ms: number): number {
  return digitsOf(ms).filter((digit) => digit > 0).length;
}
