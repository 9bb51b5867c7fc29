import { InvalidOptionError, milliseconds, requireOptions } from '@warren/core';
import type { Duration, JobType } from '@warren/core';
import { CronTicks, EveryTicks } from './ticks.js';
import type { Ticks } from './ticks.js';

/** What becomes of ticks that are more than a minute late, because no worker was there when they fell due. */
export type Missed = 'skip' | 'one' | 'all';

/** When a task recurs: `every` or `cron`, one of the two. */
export interface ScheduleOptions {
  /** At the multiples of this duration since the epoch: `'10m'` is at :00, :10, :20 … Whole milliseconds, at least a second. */
  every?: Duration;
  /** Minute, hour, day, month, weekday, with seconds before them if wanted: `'0 6 * * MON-FRI'`. Also `@daily` and its like, and `L`, `W`, `#`. */
  cron?: string;
  /** IANA name of the time zone by whose clock `cron` goes, for example `Europe/Berlin`. Default `UTC`. */
  timeZone?: string;
  /** The payload of each tick's task, or what makes it of the tick. Default: `null`. */
  payload?: unknown;
  /** `skip` fires no missed tick, `one` the latest if nothing has fired since, `all` each that is not older than `window`. Default `one`. */
  missed?: Missed;
  /** How old a missed tick may be, with `all`; of more than 1000 the latest are fired. Default one day. */
  window?: Duration;
  /** The same in all workers, and no other schedule's. Default: the task's name; a task's second schedule needs one. */
  name?: string;
}

/** A schedule, checked, with every default filled in. */
export interface Schedule {
  readonly name: string;
  readonly task: JobType;
  /** For people: `every 10m`, `0 6 * * MON-FRI (Europe/Berlin)`. */
  readonly when: string;
  readonly ticks: Ticks;
  readonly missed: Missed;
  /** Milliseconds. */
  readonly window: number;
  /** The payload for a tick, or a promise of it. */
  readonly payload: (tick: Date) => unknown;
}

const OPTIONS: ReadonlyArray<keyof ScheduleOptions> = ['every', 'cron', 'timeZone', 'payload', 'missed', 'window', 'name'];
const POLICIES: readonly unknown[] = ['skip', 'one', 'all'] satisfies Missed[];
const DAY = 86_400_000;

/** Milliseconds; the shortest `every`. */
const SHORTEST = 1_000;

/** With `schedule.` before it, and room for more, within the 255 bytes of a queue's name. */
const LONGEST_NAME = 200;

/** The schedules of a task. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION` for the first option that is wrong. */
export function schedulesOf(given: ScheduleOptions | readonly ScheduleOptions[], task: JobType): Schedule[] {
  const schedules = [given].flat().map((options) => scheduleOf(options, task));
  requireDistinct(schedules);
  return schedules;
}

/** Throws `ERR_INVALID_OPTION` where two schedules have the same name. */
export function requireDistinct(schedules: readonly Schedule[]): void {
  const names = new Set<string>();
  for (const { name } of schedules) {
    if (names.has(name)) {
      throw new InvalidOptionError({ option: 'schedule.name', expected: 'a name that no other schedule has', got: name });
    }
    names.add(name);
  }
}

/** The id of the task that a tick enqueues: the same whoever enqueues it, and however often. */
export function tickId({ name }: Schedule, tick: Date): string {
  return `${name}@${tick.toISOString()}`;
}

function scheduleOf(options: ScheduleOptions, task: JobType): Schedule {
  requireOptions(options, 'schedule', OPTIONS);
  const { payload, missed = 'one', window = DAY, name = task.name } = options;
  requireName(name);
  requirePolicy(missed, options.window);
  return {
    name,
    task,
    missed,
    ...timesOf(options),
    window: milliseconds(window, 'schedule.window'),
    payload: typeof payload === 'function' ? (payload as Schedule['payload']) : () => payload,
  };
}

function timesOf({ every, cron, timeZone }: ScheduleOptions): Pick<Schedule, 'ticks' | 'when'> {
  if ((every === undefined) === (cron === undefined)) {
    throw new InvalidOptionError({ option: 'schedule', expected: 'either every or cron', got: { every, cron } });
  }
  if (cron !== undefined) return cronTimes(cron, timeZone ?? 'UTC');
  if (timeZone !== undefined) {
    throw new InvalidOptionError({ option: 'schedule.timeZone', expected: 'none with every: it goes with cron', got: timeZone });
  }
  return everyTimes(every as Duration);
}

function everyTimes(every: Duration): Pick<Schedule, 'ticks' | 'when'> {
  const period = milliseconds(every, 'schedule.every');
  if (!Number.isSafeInteger(period) || period < SHORTEST) {
    throw new InvalidOptionError({ option: 'schedule.every', expected: 'whole milliseconds, at least a second', got: every });
  }
  return { ticks: new EveryTicks(period), when: `every ${typeof every === 'number' ? `${every}ms` : every}` };
}

function cronTimes(cron: string, timeZone: string): Pick<Schedule, 'ticks' | 'when'> {
  requireTimeZone(timeZone);
  return { ticks: new CronTicks(cron, timeZone), when: `${cron.trim()} (${timeZone})` };
}

function requireName(name: unknown): void {
  if (typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= LONGEST_NAME) return;
  throw new InvalidOptionError({ option: 'schedule.name', expected: `text of 1 to ${LONGEST_NAME} bytes`, got: name });
}

function requirePolicy(missed: unknown, window: unknown): void {
  if (!POLICIES.includes(missed)) {
    throw new InvalidOptionError({ option: 'schedule.missed', expected: "'skip', 'one' or 'all'", got: missed });
  }
  if (window === undefined || missed === 'all') return;
  throw new InvalidOptionError({ option: 'schedule.window', expected: "none but with missed: 'all'", got: window });
}

function requireTimeZone(timeZone: unknown): void {
  try {
    if (typeof timeZone === 'string') return void new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    // Said below.
  }
  throw new InvalidOptionError({ option: 'schedule.timeZone', expected: "an IANA name such as 'Europe/Berlin'", got: timeZone });
}
