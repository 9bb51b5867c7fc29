import test from 'ava';
import { silentLogger } from '@warren/core';
import { FailClosed } from '../src/fail-closed.js';
import type { Limiter } from '../src/index.js';

function failClosed(limiter: Partial<Limiter>): { limiter: FailClosed; logged: unknown[] } {
  const logged: unknown[] = [];
  const logger = { ...silentLogger, error: (facts: object) => void logged.push(facts) };
  return { limiter: new FailClosed({ take: () => 0, pause: () => {}, ...limiter }, logger), logged };
}

function fails(): never {
  throw new Error('The store is away.');
}

test('what a limiter answers is passed on', async (t) => {
  for (const wait of [0, 5, Infinity]) {
    t.is(failClosed({ take: () => wait }).limiter.take([]), wait);
    t.is(await failClosed({ take: async () => wait }).limiter.take([]), wait);
  }
});

test('a limiter that fails, or answers what is no time, grants nothing, and the log says so', async (t) => {
  for (const take of [fails, () => NaN, () => -1, () => undefined as never]) {
    for (const asked of [take, async () => take()]) {
      const { limiter, logged } = failClosed({ take: asked });
      t.is(await limiter.take([]), 1_000);
      t.is(logged.length, 1);
    }
  }
});

test('however often a limiter fails, the log says so once, and once when it answers again', async (t) => {
  let broken = true;
  const logged: string[] = [];
  const log = (_: object, message: string): void => void logged.push(message);
  const take = async () => (broken ? fails() : 0);
  const limiter = new FailClosed({ take, pause: () => {} }, { ...silentLogger, error: log, info: log });
  for (let outage = 0; outage < 2; outage++) {
    broken = true;
    for (let key = 0; key < 100; key++) t.is(await limiter.take([]), 1_000);
    broken = false;
    for (let key = 0; key < 100; key++) t.is(await limiter.take([]), 0);
  }
  const once = [/failed: nothing starts/, /answers again/];
  t.is(logged.length, 4);
  for (const [index, message] of logged.entries()) t.regex(message, once[index % 2] ?? /never/);
});

test('a job that has started is not failed by its limiter', async (t) => {
  const { limiter, logged } = failClosed({ started: fails, pause: fails });
  t.notThrows(() => limiter.started([]));
  await t.notThrowsAsync(limiter.pause('key', 1));
  t.is(logged.length, 2);
});
