// Every night at half past two, by Berlin's clock, one of all workers writes the report of the day before.
import { createWorker } from '@warren/core';
import type { JobType, Worker } from '@warren/core';
import delay from '@warren/plugin-delay';
import tasks, { defineTask } from '@warren/plugin-tasks';
import type { ScheduleOptions } from '@warren/plugin-tasks';

export interface Report {
  /** The day that it is about: `2030-01-31`. */
  day: string;
  /** When it fell due. */
  due: string;
}

const TIME_ZONE = 'Europe/Berlin';

export const nightlyReport: JobType<Report> = defineTask<Report>('report.nightly', { queue: 'reports', timeout: 60_000 });

/** Nights in which no worker was there are made up for, a week back. */
export const NIGHTLY: ScheduleOptions = {
  cron: '30 2 * * *',
  timeZone: TIME_ZONE,
  missed: 'all',
  window: '7d',
  payload: reportFor,
};

export interface ReporterOptions {
  url: string;
  /** Shared by all workers. */
  store: string;
  /** Default: nightly. */
  when?: ScheduleOptions;
}

/** A worker that writes reports; start as many as you like. Not started. A worker that dies while it writes leaves the report to be written again. */
export function reporter({ url, store, when = NIGHTLY }: ReporterOptions, write: (report: Report) => unknown): Worker {
  const worker = createWorker({ url, plugins: [delay(), tasks({ store, lease: '5s' })] });
  return worker.handle(nightlyReport, async ({ payload }) => void (await write(payload)), {
    schedule: { payload: reportFor, ...when },
  });
}

/** The report that is due at `tick`: of the day before, by the calendar there. */
export function reportFor(tick: Date): Report {
  const today = tick.toLocaleDateString('sv-SE', { timeZone: TIME_ZONE });
  const before = new Date(Date.parse(today) - 86_400_000);
  return { day: before.toISOString().slice(0, 10), due: tick.toISOString() };
}
