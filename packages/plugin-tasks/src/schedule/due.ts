import type { Schedule } from './options.js';

/**
 * Milliseconds. A tick that is later than this was missed: it takes less for a worker that has died to be found out (two heartbeats)
 * and for another to take its place. The clocks of workers differ by less, too.
 */
export const GRACE = 60_000;

/** Missed ticks that are fired at a time. */
const MOST = 1_000;

/** The ticks to fire now, oldest first, where `last` is the last that was fired. Both are milliseconds since the epoch. */
export function dueTicks({ ticks, missed, window }: Schedule, last: number, now: number): Date[] {
  const reach = missed === 'all' ? Math.max(window, GRACE) : GRACE;
  const due = ticks.between(new Date(Math.max(last, now - reach)), new Date(now), MOST);
  if (due.length > 0 || missed !== 'one') return due;
  return ticks.between(new Date(last), new Date(now), 1);
}
