import test from 'ava';
import * as fc from 'fast-check';
import { VirtualClock } from '../../src/testing/index.js';

test('time stands still until it is told to advance', async (t) => {
  const clock = new VirtualClock(1_000);
  t.is(clock.now(), 1_000);
  await clock.advance(50);
  t.deepEqual([clock.now(), clock.monotonic()], [1_050, 1_050]);
});

test('timers run in the order in which they fall due, at their time, and only those that do', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 100 }), { maxLength: 20 }), fc.nat({ max: 100 }), async (waits, ms) => {
      const clock = new VirtualClock(0);
      const ran: number[] = [];
      for (const wait of waits) {
        clock.schedule(wait, () => {
          ran.push(wait);
          if (clock.now() !== wait) throw new Error(`${wait} ran at ${clock.now()}`);
        });
      }
      await clock.advance(ms);
      t.deepEqual(
        ran,
        waits.filter((wait) => wait <= ms).toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 50 },
  );
});

test('a timer that is called off does not run; one that a timer sets does, if it falls due', async (t) => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const cancel = clock.schedule(10, () => ran.push('cancelled'));
  clock.schedule(5, () => {
    cancel();
    clock.schedule(5, () => ran.push('second'));
    clock.schedule(500, () => ran.push('later'));
  });
  await clock.advance(100);
  t.deepEqual(ran, ['second']);
});

test('sleep resolves when time has passed, or false at once when its signal aborts', async (t) => {
  const clock = new VirtualClock();
  const slept = clock.sleep(1_000);
  await clock.advance(1_000);
  t.true(await slept);
  const stop = new AbortController();
  const woken = clock.sleep(1_000, stop.signal);
  stop.abort();
  t.false(await woken);
  t.false(await clock.sleep(1_000, stop.signal));
});
