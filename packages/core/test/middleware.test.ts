import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import * as fc from 'fast-check';
import { JobTimeoutError, UnrecoverableError } from '../src/errors.js';
import { defineJob, Job } from '../src/job.js';
import { concurrency, failed, invoke, timeout } from '../src/middleware.js';
import { ack, deadLetter, requeue, retry } from '../src/outcome.js';
import type { Outcome } from '../src/outcome.js';
import type { Consume } from '../src/plugin.js';
import { MemoryDelivery, VirtualClock } from '../src/testing/index.js';

const type = defineJob<number>('sum', { queue: 'sums' });
const context = { publish: async (): Promise<void> => {}, send: async (): Promise<void> => {} };

function job(payload: number = 0): Job {
  const delivery = new MemoryDelivery({
    queue: 'sums',
    exchange: '',
    routingKey: 'sums',
    content: Buffer.alloc(0),
    properties: {},
  });
  return new Job<unknown>(payload, { type, delivery, context });
}

function rejects(error: Error): () => Promise<never> {
  return async () => {
    throw error;
  };
}

function throws(error: Error): () => never {
  return () => {
    throw error;
  };
}

const running = new AbortController().signal;

test('what a handler returns, throws or rejects with becomes an outcome', async (t) => {
  const boom = new Error('boom');
  const fatal = new UnrecoverableError('fatal');
  const cases: ReadonlyArray<readonly [handler: () => unknown, outcome: Outcome]> = [
    [() => undefined, ack],
    [async () => {}, ack],
    [() => requeue, requeue],
    [async () => requeue, requeue],
  ];
  for (const [handler, outcome] of cases) t.is(await invoke(handler)(job()), outcome);
  for (const handler of [rejects(boom), throws(boom)]) t.deepEqual(await invoke(handler)(job()), retry({ error: boom }));
  for (const handler of [rejects(fatal), throws(fatal)]) t.deepEqual(await invoke(handler)(job()), deadLetter(fatal));
  t.deepEqual(await invoke(() => ({ rows: 3 }))(job()), { kind: 'ack', result: { rows: 3 } });
  t.deepEqual(await invoke(() => ({ kind: 'deadLetter' }))(job()), { kind: 'ack', result: { kind: 'deadLetter' } });
  t.deepEqual(failed('text'), retry({ error: 'text' }));
});

test('a handler that answers at once costs no promise', (t) => {
  t.is(invoke(() => undefined)(job()), ack);
  t.is(concurrency(() => ack, 1, running)(job()), ack);
});

test('whatever jobs take, no more than the limit run, all run, and they begin in order of arrival', async (t) => {
  const arrival = fc.record({ turns: fc.nat({ max: 3 }), ends: fc.constantFrom('sync', 'micro', 'turns', 'throws', 'rejects') });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(arrival, { maxLength: 40 }), async (limit, arrivals) => {
      const begun: number[] = [];
      let active = 0;
      const next: Consume = (current) => {
        const index = current.payload as number;
        const { turns, ends } = arrivals[index]!;
        begun.push(index);
        if (++active > limit) throw new Error(`${active} run`);
        if (ends === 'sync') return end();
        if (ends === 'throws') {
          active--;
          throw new Error('layer');
        }
        return (async () => {
          if (ends === 'turns') for (let i = 0; i < turns; i++) await turn();
          await Promise.resolve();
          if (ends === 'rejects') {
            active--;
            throw new Error('layer');
          }
          return end();
        })();
      };
      const end = (): Outcome => {
        active--;
        return ack;
      };
      const layer = concurrency(next, limit, new AbortController().signal);
      const outcomes = arrivals.map(async (_, index) => {
        // In microtasks of their own, as jobs come from an asynchronous schema.
        for (let i = 0; i < index; i++) await Promise.resolve();
        return layer(job(index));
      });
      for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
        const kind = ['throws', 'rejects'].includes(arrivals[index]!.ends) ? 'retry' : 'ack';
        if (outcome.kind !== kind) throw new Error(`job ${index} ended in ${outcome.kind}`);
        if (outcome.kind === 'retry' && (outcome.error as Error).message !== 'layer') throw outcome.error;
      }
      t.deepEqual(begun, [...arrivals.keys()]);
    }),
    { numRuns: 200 },
  );
});

test('jobs that wait for their turn go back when the worker stops, and those that run finish', async (t) => {
  const stopping = new AbortController();
  const ends: Array<(outcome: Outcome) => void> = [];
  const layer = concurrency(() => new Promise((resolve) => ends.push(resolve)), 1, stopping.signal);
  const first = layer(job());
  const waiting = [layer(job()), layer(job())].map((outcome) => Promise.resolve(outcome));
  stopping.abort();
  t.deepEqual(await Promise.all(waiting), [requeue, requeue]);
  for (const end of ends) end(ack);
  t.is(await first, ack);
});

test('a job that outlives its timeout has failed, and its signal says why', async (t) => {
  const clock = new VirtualClock();
  const layer = timeout(() => new Promise(() => {}), 5_000, clock);
  const late = job();
  const { signal } = late;
  const outcome = layer(late);
  await clock.advance(4_999);
  t.false(signal.aborted);
  await clock.advance(1);
  t.true(signal.reason instanceof JobTimeoutError);
  t.deepEqual(await outcome, retry({ error: signal.reason as unknown }));
});

test('a job that ends in time keeps its outcome, and its timer is gone', async (t) => {
  const clock = new VirtualClock();
  const quick = job();
  t.is(await timeout(() => ack, 5_000, clock)(quick), ack);
  await clock.advance(10_000);
  t.false(quick.signal.aborted);
});
