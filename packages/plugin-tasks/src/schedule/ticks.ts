import { InvalidOptionError } from '@warren/core';
import { Cron } from 'croner';

/** The moments at which a schedule falls due: the same on every machine, whoever asks. */
export abstract class Ticks {
  /** The first tick after `moment`. */
  abstract next(moment: Date): Date;
  /** The last tick before `moment`; undefined where there is none. */
  abstract previous(moment: Date): Date | undefined;

  /** The ticks after `from` and up to `to`, oldest first; of more than `max` the latest. */
  between(from: Date, to: Date, max: number): Date[] {
    const found: Date[] = [];
    let tick = this.previous(new Date(to.getTime() + 1));
    for (; tick && tick > from && found.length < max; tick = this.previous(tick)) found.push(tick);
    return found.toReversed();
  }
}

/** The multiples of a period since the epoch. */
export class EveryTicks extends Ticks {
  readonly #period: number;

  /** `period`: whole milliseconds. */
  constructor(period: number) {
    super();
    this.#period = period;
  }

  next(moment: Date): Date {
    return new Date((Math.floor(moment.getTime() / this.#period) + 1) * this.#period);
  }

  previous(moment: Date): Date {
    return new Date((Math.ceil(moment.getTime() / this.#period) - 1) * this.#period);
  }
}

/**
 * The times of a cron pattern on a time zone's clock. Where that clock is changed, as Vixie cron does it: a time that is named and does
 * not exist falls due when the clock has jumped, one that exists twice falls due once; what goes by steps or `*` goes by the hours there are.
 */
export class CronTicks extends Ticks {
  readonly #cron: Cron;

  /** Throws `ERR_INVALID_OPTION` for a pattern that cannot be read, or whose day never comes. */
  constructor(pattern: string, timeZone: string) {
    super();
    this.#cron = parsed(pattern, timeZone);
    // Without a field for years, what comes once comes again.
    if (this.#cron.nextRun(new Date(0))) return;
    throw new InvalidOptionError({ option: 'schedule.cron', expected: 'a day that exists', got: pattern });
  }

  next(moment: Date): Date {
    return this.#cron.nextRun(moment) as Date;
  }

  previous(moment: Date): Date | undefined {
    return this.#cron.previousRuns(1, moment)[0];
  }
}

const EXPECTED = "five fields (minute, hour, day, month, weekday) such as '0 6 * * MON-FRI', or six with seconds first";

/** As a calculator only: without a function it sets no timers. */
function parsed(pattern: string, timeZone: string): Cron {
  const refused = (reason: string): InvalidOptionError =>
    new InvalidOptionError({ option: 'schedule.cron', expected: `${EXPECTED} (${reason})`, got: pattern });
  // It would also take a date, for a single run.
  if (typeof pattern !== 'string' || /^\s*\d{4}-/.test(pattern)) throw refused('not a date');
  try {
    return new Cron(pattern, { timezone: timeZone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
  } catch (error) {
    throw refused((error as Error).message);
  }
}
