import type { Limit } from './limit.js';
import type { StoreTime } from './store-clock.js';

/** The starts under one key that a window can still see, as a record. Times are those of the store's clock. */
export interface SharedWindow {
  /** How many begin no later than `time`; in order of time. */
  readonly starts: ReadonlyArray<readonly [time: number, count: number]>;
  readonly per: number;
  readonly pausedUntil: number;
}

export const EMPTY: SharedWindow = { starts: [], per: 0, pausedUntil: 0 };

/** Starts of a window that are written down one by one; above it they share times, so that a record stays small. */
const SINGLE_STARTS = 1_000;
const SHARED_TIMES = 500;

/** Milliseconds until one more start is allowed; 0 is now. */
export function waitIn({ starts, pausedUntil }: SharedWindow, { max, per }: Limit, { earliest }: StoreTime): number {
  const paused = Math.max(0, pausedUntil - earliest);
  let room = max;
  for (let index = starts.length - 1; index >= 0; index--) {
    const [time, count] = starts[index] ?? [0, 0];
    room -= count;
    if (room <= 0) return Math.max(paused, time + per - earliest);
  }
  return paused;
}

/** With one start more, which begins at `by` at the latest: it counts from there on, or from shortly after where times are shared. */
export function withStart(window: SharedWindow, limit: Limit, by: number): SharedWindow {
  const time = sharedTime(limit, by);
  const at = window.starts.findLastIndex(([earlier]) => earlier <= time);
  const [found, count] = window.starts[at] ?? [];
  const starts =
    found === time ? window.starts.with(at, [time, (count ?? 0) + 1]) : window.starts.toSpliced(at + 1, 0, [time, 1]);
  return { ...window, starts, per: limit.per };
}

/** Without one of those that were to begin by `by`. */
export function withoutStart(window: SharedWindow, limit: Limit, by: number): SharedWindow {
  const time = sharedTime(limit, by);
  const starts = window.starts.map(([at, count]) => [at, at === time ? count - 1 : count] as const);
  return { ...window, starts: starts.filter(([, count]) => count > 0) };
}

export function paused(window: SharedWindow, until: number): SharedWindow {
  return { ...window, pausedUntil: Math.max(window.pausedUntil, until) };
}

/** Without the starts that no window of `per` milliseconds sees any more. */
export function seen(window: SharedWindow, per: number, { earliest }: StoreTime): SharedWindow {
  return { ...window, starts: window.starts.filter(([time]) => time + per > earliest) };
}

/** Milliseconds until nothing of it matters any more. */
export function lifeOf({ starts, per, pausedUntil }: SharedWindow, { earliest }: StoreTime): number {
  return Math.max(pausedUntil, (starts.at(-1)?.[0] ?? -Infinity) + per) - earliest;
}

function sharedTime({ max, per }: Limit, by: number): number {
  const step = max <= SINGLE_STARTS ? 1 : Math.max(1, per / SHARED_TIMES);
  return Math.ceil(by / step) * step;
}
