// What the plugin does with a real broker.
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobType } from '@warren/core';
import delay from '@warren/plugin-delay';
import { startRabbit, withOwnRabbit } from '@warren/rabbitmq-node';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import rateLimit, { RateLimitError } from '../src/index.js';
import type { RateLimitPluginOptions } from '../src/index.js';
import { capabilities, channelOf, densest, qosJob, removed, until, workerOn } from './_broker.js';

/** Sends five messages, whose acks are withheld: how many come, how many stay ready, and in which order all are consumed in the end. */
async function throttled(
  t: ExecutionContext,
  options: RateLimitPluginOptions,
): Promise<{ delivered: number; ready: number; order: string[] }> {
  const job = qosJob();
  const worker = await workerOn(t, [rateLimit({ slowStart: false, ...options })]);
  const order: string[] = [];
  const acks: Array<() => void> = [];
  worker.handle(
    job,
    ({ payload }) => {
      order.push(payload);
      return new Promise<void>((resolve) => acks.push(resolve));
    },
    { concurrency: 100 },
  );
  await worker.start();
  await removed(t, job);
  for (let index = 0; index < 5; index++) await worker.publish(job, `message ${index}`);
  const channel = await channelOf(t);
  const expected = Math.min(options.prefetch ?? Infinity, options.channelPrefetch ?? Infinity);
  await until(() => acks.length >= expected);
  // One more would have come by now.
  await sleep(200);
  const delivered = acks.length;
  const { messageCount: ready } = await channel.checkQueue(job.queue.name);
  while (order.length < 5 || acks.length > 0) {
    acks.shift()?.();
    await sleep(5);
  }
  return { delivered, ready, order };
}

const ALL = ['message 0', 'message 1', 'message 2', 'message 3', 'message 4'];

test('prefetch 1: of five messages one is delivered and four stay ready; with the acks all come in order', async (t) => {
  t.deepEqual(await throttled(t, { prefetch: 1 }), { delivered: 1, ready: 4, order: ALL });
});

test('prefetch per consumer and per channel: the smaller one counts', async (t) => {
  if (!(await capabilities(t)).channelPrefetch) return refused(t, qosJob());
  t.deepEqual(await throttled(t, { prefetch: 4, channelPrefetch: 2 }), { delivered: 2, ready: 3, order: ALL });
  t.deepEqual(await throttled(t, { prefetch: 2, channelPrefetch: 4 }), { delivered: 2, ready: 3, order: ALL });
  t.deepEqual(await throttled(t, { channelPrefetch: 3 }), { delivered: 3, ready: 2, order: ALL });
});

test('channelPrefetch on a quorum queue is refused before the broker would close the connection', (t) =>
  refused(t, qosJob('quorum')));

async function refused(t: ExecutionContext, job: JobType<string>): Promise<void> {
  const worker = await workerOn(t, [rateLimit({ channelPrefetch: 2 })]);
  worker.handle(job, () => {});
  await t.throwsAsync(worker.start(), { code: 'ERR_UNSUPPORTED_BY_BROKER', message: /Use prefetch/ });
  await removed(t, job);
}

test('a service for 1000/s is offered 2000/s: never more in any second, nothing lost, the backlog drains', async (t) => {
  const job = qosJob();
  const worker = await workerOn(t, [rateLimit({ max: 1_000, prefetch: 500 })]);
  const starts: number[] = [];
  const seen = new Set<string>();
  worker.handle(job, ({ payload }) => {
    starts.push(performance.now());
    seen.add(payload);
  });
  await worker.start();
  await removed(t, job);
  const begin = performance.now();
  const published: Array<Promise<void>> = [];
  for (let batch = 0; batch < 80; batch++) {
    for (let index = 0; index < 50; index++) published.push(worker.publish(job, `${batch}.${index}`));
    await sleep(Math.max(0, begin + (batch + 1) * 25 - performance.now()));
  }
  await Promise.all(published);
  const offered = performance.now() - begin;
  await until(() => seen.size === 4_000);
  t.is(starts.length, 4_000);
  const most = densest(starts, 1_000);
  t.log(
    `4000 messages offered in ${Math.round(offered)} ms, drained in ${Math.round((starts.at(-1) ?? 0) - begin)} ms; densest second: ${most} starts`,
  );
  t.true(most <= 1_000, `${most} starts in one second`);
  const channel = await channelOf(t);
  await until(async () => (await channel.checkQueue(job.queue.name)).messageCount === 0);
});

test('RateLimitError: the job comes back after the pause, uncharged, held by the worker', async (t) => {
  const job = qosJob();
  const worker = await workerOn(t, [rateLimit()]);
  const runs: Array<{ payload: string; attempt: number; redelivered: boolean; at: number }> = [];
  worker.handle(job, ({ payload, attempt, redelivered }) => {
    runs.push({ payload, attempt, redelivered, at: performance.now() });
    if (runs.length === 1) throw new RateLimitError(500);
  });
  await worker.start();
  await removed(t, job);
  await worker.publish(job, 'first');
  await until(() => runs.length === 1);
  await worker.publish(job, 'second');
  await until(() => runs.length === 3);
  t.deepEqual(
    runs.map(({ payload, attempt, redelivered }) => [payload, attempt, redelivered]),
    [
      ['first', 1, false],
      ['first', 1, false],
      ['second', 1, false],
    ],
  );
  t.true((runs[1]?.at ?? 0) - (runs[0]?.at ?? 0) >= 499);
});

test('RateLimitError with a pause longer than maxHold: plugin-delay keeps the job meanwhile', async (t) => {
  const job = qosJob();
  const worker = await workerOn(t, [delay(), rateLimit({ maxHold: 100 })]);
  const runs: Array<{ attempt: number; at: number }> = [];
  worker.handle(job, ({ attempt }) => {
    runs.push({ attempt, at: performance.now() });
    if (runs.length === 1) throw new RateLimitError(1_000);
  });
  await worker.start();
  await removed(t, job);
  await worker.publish(job, 'first');
  await until(() => runs.length === 1);
  const channel = await channelOf(t);
  await until(async () => (await channel.checkQueue(job.queue.name)).messageCount === 0);
  await until(() => runs.length === 2);
  t.deepEqual(
    runs.map(({ attempt }) => attempt),
    [1, 1],
  );
  t.true((runs[1]?.at ?? 0) - (runs[0]?.at ?? 0) >= 999);
});

test('a limited job beyond maxHold goes through plugin-delay and starts in its turn, uncharged', async (t) => {
  const job = qosJob();
  const worker = await workerOn(t, [delay(), rateLimit({ maxHold: 50, slowStart: false })]);
  const starts: number[] = [];
  const attempts: number[] = [];
  worker.handle(
    job,
    ({ attempt }) => {
      starts.push(performance.now());
      attempts.push(attempt);
    },
    { rateLimit: { max: 2, per: 700 } },
  );
  await worker.start();
  await removed(t, job);
  await Promise.all(ALL.map((message) => worker.publish(job, message)));
  await until(() => starts.length === 5);
  t.deepEqual(attempts, [1, 1, 1, 1, 1]);
  t.true(densest(starts, 699) <= 2);
});

test('jobs that wait for the limit go back to the queue when the worker stops', async (t) => {
  const job = qosJob();
  const worker = await workerOn(t, [rateLimit({ max: 1, per: '1h', slowStart: false })]);
  let runs = 0;
  worker.handle(job, () => void runs++);
  await worker.start();
  await removed(t, job);
  await Promise.all(ALL.map((message) => worker.publish(job, message)));
  const channel = await channelOf(t);
  await until(async () => runs === 1 && (await channel.checkQueue(job.queue.name)).messageCount === 0);
  const begin = performance.now();
  t.deepEqual(await worker.stop({ deadline: 20_000 }), { drained: true, abandoned: 0 });
  t.true(performance.now() - begin < 10_000);
  t.is((await channel.checkQueue(job.queue.name)).messageCount, 4);
});

withOwnRabbit(test)('after the broker has closed all connections on a backlog, the worker begins slowly again', async (t) => {
  const node = await startRabbit();
  t.teardown(() => node[Symbol.asyncDispose]());
  const job = qosJob();
  const worker = await workerOn(t, [rateLimit({ prefetch: 32, slowStart: { initial: 1, interval: '1h' } })], node.url);
  let running = 0;
  let episode: number[] = [];
  const lost = new Promise<void>((resolve) => worker.on('disconnected', () => resolve()));
  worker.handle(
    job,
    async () => {
      episode.push(++running);
      // Once all run, until the connection is lost: the backlog has to be there still.
      await (episode.includes(32) ? Promise.race([lost, sleep(60_000, undefined, { ref: false })]) : sleep(40));
      running--;
    },
    { concurrency: 64 },
  );
  const producer = await workerOn(t, [], node.url);
  await producer.start();
  await Promise.all(Array.from({ length: 3_000 }, (_, index) => producer.publish(job, String(index))));
  await worker.start();
  await until(() => episode.includes(32));
  const atFirst = episode;
  worker.on('disconnected', () => (episode = []));
  await node.closeConnections();
  await until(() => episode !== atFirst && episode.includes(32));
  t.is(atFirst[0], 1);
  t.true(Math.max(...atFirst) <= 32);
  t.log(
    `running at each start: at first ${atFirst.slice(0, 40).join(' ')}; since the connection was lost ${episode.slice(0, 60).join(' ')}`,
  );
  // All at once, the 32nd start would find 32 running; growing by one with each end, it takes about twice as many.
  for (const starts of [atFirst, episode]) t.true(starts.indexOf(32) > 40, String(starts.indexOf(32)));
});
