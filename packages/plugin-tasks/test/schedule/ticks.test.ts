import test from 'ava';
import fc from 'fast-check';
import { CronTicks, EveryTicks } from '../../src/schedule/ticks.js';
import type { Ticks } from '../../src/schedule/ticks.js';

const moments = fc.date({ min: new Date('2020-01-01T00:00Z'), max: new Date('2040-01-01T00:00Z'), noInvalidDate: true });
const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
const minutes = fc.constantFrom('*', '*/7', '0', '30', '5,50', '10-20');
const hours = fc.constantFrom('*', '*/5', '0', '2', '1,2', '2-3', '22');
const days = fc.constantFrom('* * *', '1 * *', 'L * *', '* * MON-FRI', '* * SUN', '29 2 *', '* * FRI#2');
const crons = fc
  .tuple(zones, fc.constantFrom('', '0 ', '*/15 '), minutes, hours, days)
  .map(([zone, seconds, minute, hour, day]) => new CronTicks(`${seconds}${minute} ${hour} ${day}`, zone));
const everys = fc.integer({ min: 1_000, max: 10 * 86_400_000 }).map((period) => new EveryTicks(period));
const anyTicks = fc.oneof(crons, everys);

/** Around one change of the clock or the other. */
const changes = fc
  .tuple(
    fc.constantFrom('2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-03-08T07:00Z', '2026-11-01T06:00Z'),
    fc.integer({ min: -6 * 3_600_000, max: 6 * 3_600_000 }),
  )
  .map(([change, offset]) => new Date(Date.parse(change) + offset));
const anyMoment = fc.oneof(moments, changes);

function following(ticks: Ticks, from: Date, count: number): Date[] {
  const found: Date[] = [];
  for (let tick = ticks.next(from); found.length < count; tick = ticks.next(tick)) found.push(tick);
  return found;
}

const shown = (dates: readonly Date[]): string[] => dates.map((date) => date.toISOString().slice(0, 16));

test('ticks are after the moment, and grow', (t) => {
  fc.assert(
    fc.property(anyTicks, anyMoment, (ticks, from) => {
      const [first, second, third] = following(ticks, from, 3) as [Date, Date, Date];
      return first > from && second > first && third > second;
    }),
  );
  t.pass();
});

test('there is no tick between a moment and the next one', (t) => {
  fc.assert(
    fc.property(anyTicks, anyMoment, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (ticks, from, share) => {
      const next = ticks.next(from);
      const between = new Date(from.getTime() + Math.floor(share * (next.getTime() - from.getTime())));
      return ticks.next(between).getTime() === next.getTime();
    }),
  );
  t.pass();
});

test('going back finds the ticks that going forward found', (t) => {
  fc.assert(
    fc.property(anyTicks, anyMoment, fc.integer({ min: 1, max: 12 }), (ticks, from, count) => {
      const forward = following(ticks, from, count);
      t.deepEqual(ticks.between(from, forward.at(-1) as Date, count + 1), forward);
    }),
  );
});

test('between leaves out its beginning and holds its end, and of too many the oldest are left out', (t) => {
  const ticks = new EveryTicks(60_000);
  const found = ticks.between(new Date('2026-01-01T00:00Z'), new Date('2026-01-01T00:05Z'), 10);
  t.deepEqual(
    shown(found),
    [1, 2, 3, 4, 5].map((minute) => `2026-01-01T00:0${minute}`),
  );
  t.deepEqual(ticks.between(new Date('2026-01-01T00:00Z'), new Date('2026-01-01T00:05Z'), 2), found.slice(-2));
  t.deepEqual(ticks.between(new Date('2026-01-01T00:05Z'), new Date('2026-01-01T00:05Z'), 10), []);
  t.deepEqual(ticks.between(new Date('2026-01-01T00:05Z'), new Date('2026-01-01T00:01Z'), 10), []);
});

test('a period falls due at its multiples since the epoch', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 1e9 }), anyMoment, (period, from) => {
      const next = new EveryTicks(period).next(from).getTime();
      return next % period === 0 && next - from.getTime() <= period;
    }),
  );
  t.is(new EveryTicks(600_000).next(new Date('2026-01-01T10:03:27.5Z')).toISOString(), '2026-01-01T10:10:00.000Z');
});

test('a time of day is that of the time zone', (t) => {
  const ticks = new CronTicks('0 6 * * MON-FRI', 'Europe/Berlin');
  t.deepEqual(shown(following(ticks, new Date('2026-03-26T12:00Z'), 3)), [
    '2026-03-27T05:00',
    '2026-03-30T04:00',
    '2026-03-31T04:00',
  ]);
});

const gaps: ReadonlyArray<[zone: string, before: string, after: string]> = [
  ['Europe/Berlin', '2026-03-28T12:00Z', '2026-03-29T01:00'],
  ['America/New_York', '2026-03-07T12:00Z', '2026-03-08T07:00'],
];

for (const [zone, before, after] of gaps) {
  test(`a time that does not exist falls due when the clock has jumped: ${zone}`, (t) => {
    t.is(shown(following(new CronTicks('30 2 * * *', zone), new Date(before), 1))[0], after);
    t.is(shown(following(new CronTicks('30 2,14 * * *', zone), new Date(before), 2)).at(-1), after);
  });

  test(`steps go by the hours that exist: ${zone}`, (t) => {
    const ticks = new CronTicks('*/30 * * * *', zone);
    const found = following(ticks, new Date(before), 96);
    t.true(found.every((tick, index) => index === 0 || tick.getTime() - (found[index - 1] as Date).getTime() === 1_800_000));
  });
}

const overlaps: ReadonlyArray<[zone: string, pattern: string, before: string, first: string, second: string]> = [
  ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00Z', '2026-10-25T00:30', '2026-10-26T01:30'],
  ['America/New_York', '30 1 * * *', '2026-10-31T12:00Z', '2026-11-01T05:30', '2026-11-02T06:30'],
];

for (const [zone, pattern, before, first, second] of overlaps) {
  test(`a time that exists twice falls due once: ${zone}`, (t) => {
    t.deepEqual(shown(following(new CronTicks(pattern, zone), new Date(before), 2)), [first, second]);
  });

  test(`steps fall due in both of the hours: ${zone}`, (t) => {
    const found = following(new CronTicks('*/30 * * * *', zone), new Date(before), 96);
    t.is(new Set(found.map(Number)).size, 96);
    t.true(found.every((tick, index) => index === 0 || tick.getTime() - (found[index - 1] as Date).getTime() === 1_800_000));
  });
}

for (const pattern of ['', '0 6 * *', '61 * * * *', '* * * * * * 2030', 'noon', '2030-01-01T00:00:00', '@reboot', '0 0 30 2 *']) {
  test(`what is no pattern is refused: ${JSON.stringify(pattern)}`, (t) => {
    t.throws(() => new CronTicks(pattern, 'UTC'), { code: 'ERR_INVALID_OPTION', message: /^schedule\.cron: expected/ });
  });
}
