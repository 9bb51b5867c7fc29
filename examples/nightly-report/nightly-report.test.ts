import { join } from 'node:path';
import test from 'ava';
import { schedulesOf } from '@warren/plugin-tasks';
import type { Schedule } from '@warren/plugin-tasks';
import { freshBroker } from '@warren/test-broker';
import { runMain, temporaryFolder } from '../_program.js';
import { Recorder } from '../_recorder.js';
import { NIGHTLY, nightlyReport, reporter, reportFor } from './nightly-report.js';
import type { Report } from './nightly-report.js';

test('there is one night for each day, also where the clock is changed', (t) => {
  const [{ ticks }] = schedulesOf(NIGHTLY, nightlyReport) as [Schedule];
  const nights = ticks.between(new Date('2026-01-01T00:00Z'), new Date('2027-01-01T00:00Z'), 1_000);
  const days = nights.map((night) => reportFor(night).day);
  const expected = Array.from({ length: 365 }, (_, day) => new Date(Date.UTC(2025, 11, 31 + day)).toISOString().slice(0, 10));
  t.deepEqual(days, expected);
  t.deepEqual(
    nights.map((night) => night.toISOString().slice(0, 16)).filter((night) => /-03-(?:28|29|30)|-10-(?:24|25|26)/.test(night)),
    ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30', '2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'],
  );
});

test('three workers write each report once', async (t) => {
  const { url } = await freshBroker(t);
  const store = `lmdb:${join(temporaryFolder(t), 'store')}`;
  const reports = new Recorder<Report>();
  for (let count = 0; count < 3; count++) {
    const worker = reporter({ url, store, when: { every: '1s' } }, reports.add);
    t.teardown(() => worker.stop());
    await worker.start();
  }
  // Of two that were written at the same time the later may have come first.
  const first = sorted((await reports.first(6)).map(({ due }) => Date.parse(due)));
  t.deepEqual(missingIn(first.slice(0, 5)), []);
  t.is(new Set(first).size, 6);
});

test('workers that are killed leave no report unwritten', async (t) => {
  const { url } = await freshBroker(t);
  const store = `lmdb:${join(temporaryFolder(t), 'store')}`;
  const run = () => runMain(t, 'nightly-report', { args: ['1s'], env: { AMQP_URL: url, WARREN_STORE: store } });
  const workers = [run(), run(), run()] as const;
  await workers[0].lines.find(isReport);
  await workers[0].kill();
  await workers[1].lines.find(isReport);
  await workers[1].kill();
  const { lines } = workers[2];
  const written = (): number[] => sorted(workers.flatMap((worker) => worker.lines.all.filter(isReport).map(dueOf)));
  // What a killed worker had begun is written when its lease is over.
  for (let count = lines.all.length + 3; ; count++) {
    await lines.first(count);
    if (missingIn(written()).length === 0) break;
  }
  await workers[2].stop();
  t.deepEqual(missingIn(written()), []);
});

const isReport = (line: string): boolean => line.endsWith('is written.');
const dueOf = (line: string): number => Date.parse(line.split(' ')[0] ?? '');
const sorted = (times: readonly number[]): number[] => times.toSorted((one, other) => one - other);

/** The seconds after which a report was due that is not among those. */
function missingIn(times: readonly number[]): number[] {
  return times.filter((time) => time !== times.at(-1) && !times.includes(time + 1_000));
}
