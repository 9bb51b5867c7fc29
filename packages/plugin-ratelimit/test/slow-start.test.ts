import { EVENTS, STOPPING } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import rateLimit from '../src/index.js';
import type { SlowStartOptions } from '../src/index.js';
import { collect, jobNamed, settle } from './_worker.js';

interface Backlog {
  readonly worker: TestWorker;
  /** Jobs that run, by payload; called, they end. */
  readonly running: Map<number, (error?: Error) => void>;
  readonly arrive: (count: number) => void;
  readonly end: (count: number, error?: Error) => Promise<void>;
}

/** A worker onto which a backlog comes down; its jobs end when they are told to. */
function backlog(t: ExecutionContext, slowStart: false | SlowStartOptions = {}, prefetch = 16): Backlog {
  const worker = createTestWorker({ prefetch, plugins: [rateLimit({ slowStart })] });
  const job = jobNamed();
  const running: Backlog['running'] = new Map();
  let next = 0;
  worker.handle(
    job,
    ({ payload }) =>
      new Promise<void>((resolve, reject) => {
        running.set(payload, (error) => {
          running.delete(payload);
          if (error) reject(error);
          else resolve();
        });
      }),
    // Above the prefetch, which stays the slow start's top: what is counted here is not held back by core.
    { concurrency: 64 },
  );
  const end = async (count: number, error?: Error): Promise<void> => {
    for (const finish of [...running.values()].slice(0, count)) finish(error);
    await settle();
  };
  t.teardown(async () => {
    const stopped = worker.stop({ deadline: 100 });
    while (running.size > 0) await end(running.size);
    await stopped;
  });
  return {
    worker,
    running,
    end,
    arrive: (count) => void collect(Array.from({ length: count }, () => worker.deliver(job, next++))),
  };
}

test('on a backlog the number of running jobs doubles with each round of successes', async (t) => {
  const { running, arrive, end } = backlog(t);
  arrive(40);
  await settle();
  const sizes = [running.size];
  while (running.size < 16) {
    await end(running.size);
    sizes.push(running.size);
  }
  t.deepEqual(sizes.slice(0, 5), [1, 2, 4, 8, 25], 'from the prefetch on nothing is held back');
});

test('jobs that take long let time make the number grow', async (t) => {
  const { worker, running, arrive } = backlog(t, { initial: 2, interval: '1s' });
  arrive(16);
  await settle();
  const sizes = [running.size];
  for (let second = 0; second < 3; second++) {
    await worker.clock.advance(1_000);
    sizes.push(running.size);
  }
  t.deepEqual(sizes, [2, 4, 8, 16]);
});

test('failures do not hasten it', async (t) => {
  const { running, arrive, end } = backlog(t);
  arrive(10);
  await settle();
  for (let round = 0; round < 4; round++) {
    await end(1, new Error('overloaded'));
    t.is(running.size, 1);
  }
});

test('a worker that has been idle since it connected begins at once', async (t) => {
  const { worker, running, arrive } = backlog(t);
  await worker.start();
  await worker.clock.advance(10_000);
  arrive(16);
  await settle();
  t.is(running.size, 16);
});

test('after each reconnection it begins again; what is left of the old connection does not count', async (t) => {
  const { worker, running, arrive } = backlog(t);
  await worker.start();
  await worker.clock.advance(10_000);
  arrive(16);
  await settle();
  t.is(running.size, 16);
  worker.resolve(EVENTS).emit('disconnected', {});
  arrive(16);
  await settle();
  t.is(running.size, 17, 'also before the connection is back altogether');
  await worker.clock.advance(60_000);
  t.is(running.size, 17, 'an outage does not count as time');
  worker.resolve(EVENTS).emit('connected', { url: '', version: '', reconnected: true });
  await worker.clock.advance(1_000);
  t.is(running.size, 18);
  await worker.clock.advance(10_000);
  t.is(running.size, 32);
});

test('it is over at once where it begins with the prefetch, and where it is off', async (t) => {
  for (const { running, arrive } of [backlog(t, { initial: 1 }, 1), backlog(t, false)]) {
    arrive(3);
    await settle();
    t.is(running.size, 3);
  }
});

test('who waits goes back when the worker stops', async (t) => {
  const { worker, running, arrive, end } = backlog(t);
  arrive(5);
  await settle();
  const stopped = worker.stop({ deadline: 1_000 });
  t.true(worker.resolve(STOPPING).aborted);
  await settle();
  t.is(worker.lastDelivery?.settled, 'requeued');
  await end(1);
  t.is(running.size, 0);
  t.deepEqual(await stopped, { drained: true, abandoned: 0 });
});
