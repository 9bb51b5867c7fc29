import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { intervalOf, Pace } from '../src/publish/rate.js';

test('a rate is so many in a second, a minute or an hour', (t) => {
  t.is(intervalOf('200/s'), 5);
  t.is(intervalOf('30/m'), 2_000);
  t.is(intervalOf('0.5/s'), 2_000);
  t.is(intervalOf('60/h'), 60_000);
});

for (const wrong of ['', '200', '0/s', '/s', '5/d', '-1/s', 'fast']) {
  test(`"${wrong}" is no rate`, (t) => {
    t.throws(() => intervalOf(wrong), { code: 'ERR_INVALID_OPTION' });
  });
}

test('turns come no faster than the rate', async (t) => {
  // Timers count from the beginning of the turn of the event loop that they are set in.
  await sleep(1);
  const pace = new Pace(20);
  const began = performance.now();
  for (let turn = 0; turn < 6; turn++) await pace.turn(new AbortController().signal);
  t.true(performance.now() - began >= 95);
});
