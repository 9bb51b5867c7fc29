import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorker, defineJob } from '@warren/core';
import type { SettleEvent } from '@warren/core';
import delay from '@warren/plugin-delay';
import { createStore } from '@warren/store';
import { brokerUrl } from '@warren/test-broker';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import idempotency from '../src/index.js';
import { Runs } from './_worker.js';

/** How the jobs of a queue end, as they do. */
function outcomesOf(t: ExecutionContext, queue: string): string[] {
  const outcomes: string[] = [];
  const note = (event: unknown): void => {
    const { delivery, outcome } = event as SettleEvent;
    if (delivery.queue === queue) outcomes.push(outcome.kind);
  };
  subscribe('warren:job:settle', note);
  t.teardown(() => unsubscribe('warren:job:settle', note));
  return outcomes;
}

test('With plugin-delay a duplicate of a running job leaves its queue, and comes back to be acknowledged.', async (t) => {
  const job = defineJob<number>('pay', { queue: `idempotency.${randomUUID()}` });
  const outcomes = outcomesOf(t, job.queue.name);
  const runs = new Runs();
  const worker = createWorker({ url: await brokerUrl(), plugins: [delay(), idempotency({ store: createStore('memory:') })] });
  t.teardown(() => worker.stop({ deadline: 2_000 }));
  worker.handle(job, runs.handler);
  await worker.start();
  for (let time = 0; time < 3; time++) await worker.publish(job, 7, { messageId: 'm' });
  while (outcomes.length < 2) await sleep(10);
  t.is(runs.all.length, 1);
  runs.all[0]?.end();
  const acked = (): number => outcomes.filter((kind) => kind === 'ack').length;
  while (acked() < 3) await sleep(10);
  t.deepEqual(outcomes.slice(0, 3), ['requeue', 'requeue', 'ack']);
  t.is(runs.all.length, 1);
});
