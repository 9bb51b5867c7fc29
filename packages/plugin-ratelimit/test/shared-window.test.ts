import test from 'ava';
import * as fc from 'fast-check';
import { EMPTY, lifeOf, paused, seen, waitIn, withoutStart, withStart } from '../src/shared-window.js';
import type { SharedWindow } from '../src/shared-window.js';

const at = (time: number) => ({ earliest: time, latest: time });

function windowOf(limit: { max: number; per: number }, times: readonly number[]): SharedWindow {
  return times.reduce((window, time) => withStart(window, limit, time), EMPTY);
}

test('One more start has to wait until the one leaves that is max starts ago.', (t) => {
  const limit = { max: 3, per: 100 };
  const window = windowOf(limit, [0, 10, 10]);
  t.is(waitIn(windowOf(limit, [0, 10]), limit, at(20)), 0);
  t.is(waitIn(window, limit, at(20)), 80);
  t.is(waitIn(window, limit, at(100)), 0);
  t.is(waitIn(window, { max: 2, per: 100 }, at(20)), 90);
  t.is(waitIn(window, { max: Infinity, per: 1 }, at(20)), 0);
});

test('A pause holds whatever was started, and the longest one stays.', (t) => {
  const limit = { max: 1, per: 100 };
  const window = paused(paused(windowOf(limit, [0]), 500), 300);
  t.is(waitIn(window, limit, at(10)), 490);
  t.is(waitIn(window, { max: Infinity, per: 1 }, at(10)), 490);
  t.is(lifeOf(window, at(10)), 490);
  t.is(waitIn(window, limit, at(500)), 0);
});

test('A start that is taken back was never counted.', (t) => {
  const limit = { max: 2, per: 100 };
  const window = windowOf(limit, [0, 10.5, 10.7]);
  t.deepEqual(withoutStart(window, limit, 10.2).starts, [
    [0, 1],
    [11, 1],
  ]);
  t.deepEqual(withoutStart(withoutStart(window, limit, 10.5), limit, 10.7).starts, [[0, 1]]);
  t.deepEqual(withoutStart(window, limit, 50).starts, window.starts);
});

const limits = fc.record({ max: fc.integer({ min: 1, max: 8 }), per: fc.integer({ min: 1, max: 50 }) });
const gaps = fc.array(fc.nat(20), { maxLength: 60 });

test('What is allowed is what counting all starts would allow.', (t) => {
  const property = fc.property(limits, gaps, (limit, gaps) => {
    let [now, window] = [0, EMPTY];
    const starts: number[] = [];
    for (const gap of gaps) {
      now += gap;
      const among = starts.filter((start) => start > now - limit.per).length;
      const wait = waitIn(window, limit, at(now));
      t.is(wait === 0, among < limit.max);
      if (wait > 0) t.true(starts.filter((start) => start > now + wait - limit.per).length < limit.max);
      if (wait > 0) t.true(starts.filter((start) => start > now + wait - 1 - limit.per).length >= limit.max);
      if (wait === 0) {
        window = withStart(seen(window, limit.per, at(now)), limit, now);
        starts.push(now);
      }
    }
  });
  fc.assert(property);
});

test('Starts that are written in any order are in order.', (t) => {
  const property = fc.property(limits, fc.array(fc.nat(30)), (limit, times) => {
    const window = windowOf(limit, times);
    const expected = [...new Set(times)]
      .toSorted((a, b) => a - b)
      .map((time) => [time, times.filter((other) => other === time).length]);
    t.deepEqual(window.starts, expected as never);
  });
  fc.assert(property);
});

test('A great limit takes little room, and is never exceeded for it.', (t) => {
  const limit = { max: 100_000, per: 60_000 };
  let [window, now, started] = [EMPTY, 0, 0];
  for (; waitIn(window, limit, at(now)) === 0 && now < limit.per; now += 0.5) {
    window = withStart(window, limit, now);
    started++;
  }
  t.is(started, 100_000);
  t.true(JSON.stringify(window).length < 16_384);
  const wait = waitIn(window, limit, at(now));
  t.true(now + wait >= limit.per, 'not before the first ones leave');
  t.true(now + wait <= limit.per * 1.002, 'and shortly after');
});
