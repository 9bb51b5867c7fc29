import test from 'ava';
import { SystemClock } from '../src/clock.js';

const clock = new SystemClock();

test('the machine’s clock tells the time, and never goes back', (t) => {
  t.true(Math.abs(clock.now() - Date.now()) < 1_000);
  const first = clock.monotonic();
  t.true(clock.monotonic() >= first);
});

test('a callback comes once, not before its time, unless it is called off', async (t) => {
  const begun = clock.monotonic();
  let calls = 0;
  const cancel = clock.schedule(1, () => t.fail());
  cancel();
  await new Promise<void>((resolve) =>
    clock.schedule(30, () => {
      calls++;
      resolve();
    }),
  );
  t.is(calls, 1);
  t.true(clock.monotonic() - begun >= 29);
});

test('a wait beyond 32 bits does not end at once', async (t) => {
  const cancel = clock.schedule(2 ** 40, () => t.fail());
  t.true(await clock.sleep(20));
  cancel();
});

test('a sleep ends early when its signal aborts, and does not begin when it has', async (t) => {
  const stop = new AbortController();
  const slept = clock.sleep(60_000, stop.signal);
  stop.abort();
  t.false(await slept);
  t.false(await clock.sleep(60_000, stop.signal));
});
