import test from 'ava';
import { defineJob } from '@warren/core';
import { requireDistinct, schedulesOf, tickId } from '../../src/schedule/options.js';
import type { ScheduleOptions } from '../../src/schedule/options.js';

const task = defineJob<{ day: string }>('report', { queue: 'reports' });
const only = (options: ScheduleOptions) => schedulesOf(options, task)[0]!;

test('a schedule has the name of its task, catches up one tick, and has a day for all', (t) => {
  const { name, missed, window, when, payload, task: own } = only({ every: '10m' });
  t.deepEqual({ name, missed, window, when }, { name: 'report', missed: 'one', window: 86_400_000, when: 'every 10m' });
  t.is(own, task);
  t.is(payload(new Date()), undefined);
});

test('cron goes by UTC, or by the time zone that is given', (t) => {
  const noon = new Date('2026-01-01T12:00Z');
  t.is(only({ cron: '0 6 * * *' }).ticks.next(noon).toISOString(), '2026-01-02T06:00:00.000Z');
  const tokyo = only({ cron: '0 6 * * *', timeZone: 'Asia/Tokyo' });
  t.is(tokyo.ticks.next(noon).toISOString(), '2026-01-01T21:00:00.000Z');
  t.is(tokyo.when, '0 6 * * * (Asia/Tokyo)');
});

test('a payload is given, or made of the tick', (t) => {
  const tick = new Date('2026-01-01T06:00Z');
  t.deepEqual(only({ every: 1_000, payload: { day: 'all' } }).payload(tick), { day: 'all' });
  t.deepEqual(only({ every: 1_000, payload: (at: Date) => ({ day: at.toISOString() }) }).payload(tick), {
    day: tick.toISOString(),
  });
});

test('a tick has the same id wherever it is enqueued', (t) => {
  t.is(tickId(only({ every: '1h', name: 'hourly' }), new Date('2026-01-01T06:00Z')), 'hourly@2026-01-01T06:00:00.000Z');
});

test('a task can have several schedules, each with its name', (t) => {
  const schedules = schedulesOf([{ every: '1h' }, { cron: '0 6 * * *', name: 'morning' }], task);
  t.deepEqual(
    schedules.map(({ name }) => name),
    ['report', 'morning'],
  );
  t.throws(() => schedulesOf([{ every: '1h' }, { every: '2h' }], task), {
    code: 'ERR_INVALID_OPTION',
    message: /schedule\.name/,
  });
  t.throws(() => requireDistinct([only({ every: '1h' }), only({ every: '2h' })]), { code: 'ERR_INVALID_OPTION' });
});

const wrong: ReadonlyArray<[what: string, given: unknown, message: RegExp]> = [
  ['nothing', undefined, /^schedule: expected an object/],
  ['text', '10m', /^schedule: expected an object/],
  ['neither every nor cron', {}, /^schedule: expected either every or cron/],
  ['both every and cron', { every: '1h', cron: '@daily' }, /^schedule: expected either every or cron/],
  ['every below a second', { every: 999 }, /^schedule\.every: .*at least a second/],
  ['every in parts of milliseconds', { every: '1.0005s' }, /^schedule\.every: .*whole milliseconds/],
  ['every that is no duration', { every: 'daily' }, /^schedule\.every: expected milliseconds, or text/],
  ['a cron that is no text', { cron: 5 }, /^schedule\.cron: expected five fields/],
  ['a wrong cron', { cron: '0 25 * * *' }, /^schedule\.cron: expected five fields/],
  ['an unknown time zone', { cron: '@daily', timeZone: 'Mars/Olympus' }, /^schedule\.timeZone: expected an IANA name/],
  ['a time zone that is no text', { cron: '@daily', timeZone: 2 }, /^schedule\.timeZone: expected an IANA name/],
  ['a time zone with every', { every: '1d', timeZone: 'Europe/Berlin' }, /^schedule\.timeZone: expected none with every/],
  ['an unknown policy', { every: '1h', missed: 'last' }, /^schedule\.missed: expected 'skip', 'one' or 'all', got 'last'/],
  ['a wrong window', { every: '1h', missed: 'all', window: -1 }, /^schedule\.window: expected milliseconds/],
  ['a window without all', { every: '1h', missed: 'skip', window: '1h' }, /^schedule\.window: expected none but with/],
  ['an empty name', { every: '1h', name: '' }, /^schedule\.name: expected text of 1 to 200 bytes/],
  ['a long name', { every: '1h', name: 'ü'.repeat(101) }, /^schedule\.name: expected text of 1 to 200 bytes/],
];

for (const [what, given, message] of wrong) {
  test(`refused with an error that says what was expected: ${what}`, (t) => {
    t.throws(() => schedulesOf(given as ScheduleOptions, task), { code: 'ERR_INVALID_OPTION', message });
  });
}

test('an unknown option is named', (t) => {
  const options = { every: '1h', timezone: 'UTC' } as ScheduleOptions;
  t.throws(() => schedulesOf(options, task), { code: 'ERR_UNKNOWN_OPTION', message: /"timezone".*timeZone/ });
});
