import test from 'ava';
import { defineJob } from '@warren/core';
import fc from 'fast-check';
import { dueTicks } from '../../src/schedule/due.js';
import { schedulesOf } from '../../src/schedule/options.js';
import type { Missed, Schedule, ScheduleOptions } from '../../src/schedule/options.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** On every full minute and hour. */
const BEGIN = Date.UTC(2026, 0, 1);

function schedule(missed: Missed, options: ScheduleOptions = {}): Schedule {
  return schedulesOf({ every: MINUTE, missed, ...options }, defineJob('task', { queue: 'tasks' }))[0]!;
}

const at = (schedule: Schedule, last: number, now: number): number[] =>
  dueTicks(schedule, BEGIN + last, BEGIN + now).map((tick) => tick.getTime() - BEGIN);

for (const policy of ['skip', 'one', 'all'] as const) {
  test(`nothing is due before the next tick, then that tick is: ${policy}`, (t) => {
    t.deepEqual(at(schedule(policy), 0, MINUTE - 1), []);
    t.deepEqual(at(schedule(policy), 0, MINUTE), [MINUTE]);
    t.deepEqual(at(schedule(policy), MINUTE, MINUTE), []);
  });

  test(`ticks that are less than a minute late are due, each: ${policy}`, (t) => {
    const found = at(schedule(policy, { every: '10s' }), 0, 55_000);
    t.deepEqual(found, [10_000, 20_000, 30_000, 40_000, 50_000]);
  });
}

test('skip leaves missed ticks out', (t) => {
  t.deepEqual(at(schedule('skip', { every: HOUR }), 0, 5.5 * HOUR), []);
  t.deepEqual(at(schedule('skip', { every: HOUR }), 0, 5 * HOUR + 1_000), [5 * HOUR]);
});

test('one fires the latest missed tick, and none where a later one is in time', (t) => {
  t.deepEqual(at(schedule('one', { every: HOUR }), 0, 5.5 * HOUR), [5 * HOUR]);
  t.deepEqual(at(schedule('one', { every: HOUR }), 4 * HOUR, 5.5 * HOUR), [5 * HOUR]);
  t.deepEqual(at(schedule('one', { every: HOUR }), 5 * HOUR, 5.5 * HOUR), []);
  t.deepEqual(at(schedule('one', { every: HOUR }), 0, 5 * HOUR + 1_000), [5 * HOUR]);
});

test('all fires each missed tick within the window', (t) => {
  t.deepEqual(at(schedule('all', { every: HOUR }), 0, 3.5 * HOUR), [HOUR, 2 * HOUR, 3 * HOUR]);
  t.deepEqual(at(schedule('all', { every: HOUR, window: '2h' }), 0, 5.5 * HOUR), [4 * HOUR, 5 * HOUR]);
  t.deepEqual(at(schedule('all', { every: HOUR, window: 0 }), 0, 5.5 * HOUR), []);
  t.deepEqual(at(schedule('all', { every: HOUR, window: 0 }), 0, 5 * HOUR + 1), [5 * HOUR]);
});

test('all fires the latest thousand of more', (t) => {
  const found = at(schedule('all', { every: '1s' }), 0, HOUR);
  t.is(found.length, 1_000);
  t.is(found.at(-1), HOUR);
});

test('what is due is in order, after the last that was fired, and none of it is due again', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom<Missed>('skip', 'one', 'all'),
      fc.integer({ min: 1_000, max: 5 * HOUR }),
      fc.integer({ min: 0, max: 100 * HOUR }),
      fc.integer({ min: -HOUR, max: 50 * HOUR }),
      (policy, every, last, waited) => {
        const recurring = schedule(policy, { every });
        const due = at(recurring, last, last + waited);
        const fired = due.at(-1) ?? last;
        t.true(due.every((tick, index) => tick > (due[index - 1] ?? last) && tick <= last + waited));
        t.deepEqual(at(recurring, fired, last + waited), []);
      },
    ),
  );
});
