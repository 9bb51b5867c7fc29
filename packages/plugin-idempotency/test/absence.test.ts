import { StoreUnavailableError } from '@warren/store';
import test from 'ava';
import { benchWith, collect, jobNamed, running, Runs, settle } from './_worker.js';

const away = new StoreUnavailableError({ store: 'memory:', cause: new Error('gone') });

test('Without a plugin that delays, a duplicate is held in the worker until the first has ended.', async (t) => {
  const { worker, job, runs, first } = await running(t, {}, []);
  const ended = collect([worker.deliver(job, { id: 7 }, { messageId: 'm' })]);
  await worker.advance('2m');
  t.deepEqual(ended, []);
  runs.all[0]?.end('paid');
  await first;
  await worker.advance('1s');
  t.like(ended[0], { kind: 'ack', result: 'paid' });
  t.is(runs.all.length, 1);
});

test('Without a plugin that delays, a duplicate that is held goes back when the worker stops.', async (t) => {
  const { worker, job, runs, first } = await running(t, {}, []);
  const second = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  await settle();
  const stopped = worker.stop();
  t.deepEqual({ ...(await second) }, { kind: 'requeue' });
  runs.all[0]?.end();
  t.is((await first).kind, 'ack');
  t.true((await stopped).drained);
});

test('Without a plugin that delays, a duplicate whose delivery is lost is given up.', async (t) => {
  const { worker, job, runs, first } = await running(t, {}, []);
  const ended = collect([worker.deliver(job, { id: 7 }, { messageId: 'm' })]);
  await settle();
  if (worker.lastDelivery) worker.lastDelivery.lost = true;
  await worker.advance('1s');
  t.deepEqual(
    ended.map((outcome) => ({ ...outcome })),
    [{ kind: 'requeue' }],
  );
  runs.all[0]?.end();
  await first;
});

test('Without a plugin that delays, no job is held for more than five minutes.', async (t) => {
  const { worker, job, runs, first } = await running(t, {}, []);
  const ended = collect([worker.deliver(job, { id: 7 }, { messageId: 'm' })]);
  await worker.advance('299s');
  t.deepEqual(ended, []);
  await worker.advance('2s');
  t.deepEqual(
    ended.map(({ kind }) => kind),
    ['requeue'],
  );
  runs.all[0]?.end();
  await first;
});

test('Without a plugin that delays, a job whose store is away is held in the worker, and runs when the store is back.', async (t) => {
  const { worker, store } = benchWith(t, {}, []);
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => void runs++);
  await worker.start();
  store.broken = away;
  const ended = collect([worker.deliver(job, { id: 7 })]);
  await worker.advance('1m');
  t.deepEqual(ended, []);
  store.broken = undefined;
  await worker.advance('5s');
  t.deepEqual(
    ended.map(({ kind }) => kind),
    ['ack'],
  );
  t.is(runs, 1);
});

test('Without a plugin that delays, a job whose completion was refused goes back after a pause, and only then.', async (t) => {
  const { worker, store } = benchWith(t, { lease: '10s' }, []);
  const job = jobNamed();
  const runs = new Runs();
  worker.handle(job, runs.handler);
  const ended = collect([worker.deliver(job, { id: 7 })]);
  await settle();
  store.broken = away;
  await worker.advance('10s');
  runs.all[0]?.end();
  await worker.advance('1s');
  t.deepEqual(ended, [], 'given back at once, it would be here again at once');
  await worker.advance('4s');
  t.deepEqual(
    ended.map((outcome) => ({ ...outcome })),
    [{ kind: 'requeue' }],
  );
});
