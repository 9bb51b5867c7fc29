// What a record costs: node bench/tasks.mjs [--count 5000] [--rounds 3]
//
// Each row enqueues `count` tasks at once, then runs them with a handler that does nothing, at prefetch 100, on one private RabbitMQ; Redis and
// PostgreSQL are private too, with their own defaults (Redis without persistence). The first row is a plain job, published the same way: the
// others are its ratios. The last rows guard the same plain job with idempotency keys. Medians of the rounds.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createWorker, defineJob } from '@warren/core';
import delay from '@warren/plugin-delay';
import idempotency from '@warren/plugin-idempotency';
import tasks, { defineTask } from '@warren/plugin-tasks';
import { startRabbit } from '@warren/rabbitmq-node';
import { startPostgres, startRedis } from '@warren/store-servers';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '5000' }, rounds: { type: 'string', default: '3' } },
});
const [COUNT, ROUNDS] = [Number(values.count), Number(values.rounds)];
const PAYLOADS = Array.from({ length: COUNT }, (_, index) => index);

const publishMany = (worker, job) => Promise.all(PAYLOADS.map((payload) => worker.publish(job, payload)));
const enqueueMany = (worker, task) => worker.enqueueMany(task, PAYLOADS);

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1e3;
}

/** Messages a second: sent, and then run. */
async function measure(url, { plugins, define, send }) {
  const queue = `bench-tasks-${process.pid}-${Math.random()}`;
  const job = define('bench', { queue });
  const producer = createWorker({ url, plugins: plugins() });
  await producer.start();
  const sent = await seconds(() => send(producer, job));
  await producer.stop();
  let left = COUNT;
  const worker = createWorker({ url, prefetch: 100, plugins: plugins() });
  const all = new Promise((resolve) => worker.handle(job, () => void (--left === 0 && resolve())));
  const ran = await seconds(async () => {
    await worker.start();
    await all;
  });
  await worker.stop();
  return { sent: COUNT / sent, ran: COUNT / ran };
}

function recorded(options) {
  return { plugins: () => [delay(), tasks(options)], define: defineTask, send: enqueueMany };
}

function rows(stores) {
  const plain = { plugins: () => [delay()], define: defineJob, send: publishMany };
  return [
    ['job', plain],
    ['task without a record', recorded({ records: false })],
    ...Object.entries(stores).map(([name, store]) => [`task, ${name}`, recorded({ store })]),
    ...Object.entries(stores).map(([name, store]) => [
      `job with a key, ${name}`,
      { ...plain, plugins: () => [delay(), idempotency({ store })] },
    ]),
  ];
}

function ratio(value, of) {
  return Number((value / of).toFixed(2));
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

const directory = await mkdtemp(join(tmpdir(), 'warren-bench-'));
const rabbit = await startRabbit();
const redis = await startRedis();
const postgres = await startPostgres({ fsync: true });
try {
  const stores = { lmdb: `lmdb:${directory}`, redis: redis.url, postgres: postgres.url };
  const all = rows(stores).map(([name, row]) => ({ name, row, rounds: [] }));
  // The first round warms up the compiler and the brokers: it is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { row, rounds } of all) {
      const measured = await measure(rabbit.url, row);
      if (round > 0) rounds.push(measured);
    }
  }
  const [first, ...others] = all.map(({ name, rounds }) => ({
    name,
    sent: median(rounds.map(({ sent }) => sent)),
    ran: median(rounds.map(({ ran }) => ran)),
  }));
  const table = [first, ...others].map(({ name, sent, ran }) => ({
    row: name,
    'sent/s': Math.round(sent),
    'sent ratio': ratio(sent, first.sent),
    'run/s': Math.round(ran),
    'run ratio': ratio(ran, first.ran),
  }));
  console.table(table);
} finally {
  for (const server of [rabbit, redis, postgres]) await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
}
