// A broker that is there and does not answer: a handshake without an answer, SIGSTOP, a half-open connection. Everything ends by its deadline.
import { setTimeout as sleep } from 'node:timers/promises';
import anyTest from 'ava';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import { BrokerTimeoutError, CONNECTION, Topology } from '../../src/index.js';
import {
  childOn,
  connections,
  consumerCount,
  jobOn,
  latch,
  next,
  outsider,
  ownNode,
  proxied,
  record,
  taken,
  Tally,
  until,
  workerOn,
} from '../_faults.js';

const test = withOwnRabbit(anyTest.serial);

test('start() against a broker that accepts connections and never answers fails in time (F3).', async (t) => {
  const { proxy, url } = await proxied(t);
  proxy.blackhole(true);
  const worker = workerOn(t, url, { startTimeout: 1_000, brokerTimeout: 400 });
  const seen = record(worker);
  const from = performance.now();
  await t.throwsAsync(worker.start(), { code: 'ERR_BROKER_UNREACHABLE', message: /ETIMEDOUT/ });
  t.true(performance.now() - from >= 1_000);
  t.true(performance.now() - from < 4_000);
  t.true(seen.of('reconnecting').length > 0, 'it was tried more than once');
});

test('A handshake without an answer is given up, and the next attempt connects (F3).', async (t) => {
  const { proxy, url } = await proxied(t);
  proxy.blackhole(true);
  const worker = workerOn(t, url, { brokerTimeout: 300 });
  const starting = worker.start();
  await next(worker, 'reconnecting');
  proxy.blackhole(false);
  await t.notThrowsAsync(starting);
});

test('A half-open connection is found dead by its heartbeats, and replaced.', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, url, { heartbeat: 1, brokerTimeout: 500 });
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const lost = next(worker, 'disconnected');
  proxy.stall();
  const from = performance.now();
  t.regex(String((await lost)?.error), /Heartbeat timeout/);
  t.true(performance.now() - from > 1_000);
  const back = next(worker, 'connected');
  proxy.resume();
  await back;
  await worker.publish(job, 1);
  await tally.reaches(1);
  t.true((await connections(node)).length >= 2);
});

test('A broker that is stopped (SIGSTOP) and goes on: what was in flight is confirmed, what was running runs again.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const silent = jobOn();
  const late = latch();
  const tally = new Tally();
  const worker = workerOn(t, node.url, { heartbeat: 1, brokerTimeout: 500 });
  worker.handle(job, async ({ payload, redelivered }) => {
    tally.add(payload);
    if (!redelivered) await late.passed;
  });
  await worker.start();
  await worker.publish(silent, 0);
  await worker.publish(job, 1);
  await tally.reaches(1);
  const lost = next(worker, 'disconnected');
  node.freeze();
  t.teardown(() => node.thaw());
  const confirmed = worker.publish(silent, 1, { messageId: 'in-flight' });
  await lost;
  late.release();
  await next(worker, 'reconnecting', ({ attempt }) => attempt === 2);
  const back = next(worker, 'connected');
  node.thaw();
  await back;
  await confirmed;
  await tally.reaches(1, 2);
  t.true((await taken(await outsider(t, node.url), silent.queue.name)).includes('in-flight'));
});

test('Every call to a frozen broker has a deadline: declaring, however many queues, and looking at one.', async (t) => {
  const node = await ownNode();
  const worker = workerOn(t, node.url, { heartbeat: 10, brokerTimeout: 300 });
  await worker.start();
  const connection = worker.resolve(CONNECTION);
  node.freeze();
  t.teardown(() => node.thaw());
  const topology = new Topology();
  for (let count = 0; count < 20; count++) topology.queue(jobOn().queue);
  const from = performance.now();
  await t.throwsAsync(connection.declare(topology), { code: 'ERR_BROKER_TIMEOUT', message: /300 ms/ });
  t.true(performance.now() - from < 3_000, 'one deadline, not twenty');
  await t.throwsAsync(connection.depth('any'), { code: 'ERR_BROKER_TIMEOUT' });
});

test('The deadline is for each call: a consumer far away is set up again although all calls together take longer.', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, url, { brokerTimeout: 600 });
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const seen = record(worker);
  const outside = await outsider(t, node.url);
  // 200 ms for every answer, and there are five: close, open, declare, prefetch, consume.
  proxy.delay(100);
  await (await outside.createChannel()).deleteQueue(job.queue.name);
  await until(async () => (await consumerCount(outside, job.queue.name)) > 0);
  await worker.publish(job, 1);
  await tally.reaches(1);
  t.is(await consumerCount(outside, job.queue.name), 1);
  t.deepEqual(
    seen.all.map(({ event }) => event),
    ['fault'],
    'the cancelled consumer, and no deadline that has passed',
  );
});

test('A consumer whose set-up timed out is closed: when the answer comes late, there is one consumer and not two.', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, url, { brokerTimeout: 400, heartbeat: 10 });
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const outside = await outsider(t, node.url);
  const timedOut = next(worker, 'fault', ({ error }) => error instanceof BrokerTimeoutError);
  proxy.delay(100);
  await (await outside.createChannel()).deleteQueue(job.queue.name);
  await until(async () => (await consumerCount(outside, job.queue.name)) === 1);
  // The broker has made the consumer, and its answer is under way.
  proxy.stall();
  await timedOut;
  proxy.delay(0);
  proxy.resume();
  await worker.publish(job, 1);
  await tally.reaches(1);
  await until(async () => (await consumerCount(outside, job.queue.name)) > 0);
  t.is(await consumerCount(outside, job.queue.name), 1);
});

test('stop() ends by its deadline although the broker is frozen with a publish in flight and a job running.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const tally = new Tally();
  const aborted = latch();
  const worker = workerOn(t, node.url);
  worker.handle(job, async ({ payload, signal }) => {
    tally.add(payload);
    signal.addEventListener('abort', aborted.release);
    await aborted.passed;
  });
  await worker.start();
  await worker.publish(job, 1);
  await tally.reaches(1);
  node.freeze();
  t.teardown(() => node.thaw());
  // Not all of its threads stand still at once.
  await sleep(200);
  const refused = t.throwsAsync(worker.publish(job, 2), { code: 'ERR_CONNECTION_LOST' });
  const from = performance.now();
  const result = await worker.stop({ deadline: 1_500 });
  t.true(performance.now() - from < 2_000);
  t.deepEqual(result, { drained: false, abandoned: 1 });
  await aborted.passed;
  await refused;
});

test('A process whose worker has stopped against a frozen broker ends by itself, and soon.', async (t) => {
  const node = await ownNode();
  const child = await childOn(t, { url: node.url, heartbeat: 30 }, jobOn().queue.name);
  node.freeze();
  t.teardown(() => node.thaw());
  const { stopped, exited, code } = await child.stop(1_000);
  t.is(code, 0);
  t.true(stopped < 1_500, `stopped after ${stopped} ms`);
  t.true(exited - stopped < 2_000, `ended ${exited - stopped} ms later`);
});

test('A process whose worker has stopped after the heartbeats of a frozen broker were missed ends by itself, and soon.', async (t) => {
  const node = await ownNode();
  const child = await childOn(t, { url: node.url, heartbeat: 1, reconnect: { initial: 1, max: 1 } }, jobOn().queue.name);
  const lost = child.announces('reconnecting');
  node.freeze();
  t.teardown(() => node.thaw());
  await lost;
  // The next attempt has begun.
  await sleep(500);
  const { stopped, exited, code } = await child.stop(1_000);
  t.is(code, 0);
  t.true(exited - stopped < 2_000, `ended ${exited - stopped} ms later`);
});

test('A process whose worker has stopped while it waits for its next attempt ends by itself, and soon.', async (t) => {
  const { proxy, url } = await proxied(t);
  const child = await childOn(t, { url, reconnect: { initial: 60_000, max: 60_000 } }, jobOn().queue.name);
  await proxy.refuse(true);
  const waiting = child.announces('reconnecting');
  proxy.cut();
  await waiting;
  const { stopped, exited, code } = await child.stop(1_000);
  t.is(code, 0);
  t.true(stopped < 1_500, `stopped after ${stopped} ms`);
  t.true(exited - stopped < 2_000, `ended ${exited - stopped} ms later`);
});

test('A process whose worker has stopped in the middle of a handshake without an answer ends by itself, and soon.', async (t) => {
  const { proxy, url } = await proxied(t);
  const child = await childOn(t, { url, reconnect: { initial: 1, max: 60_000 }, brokerTimeout: 30_000 }, jobOn().queue.name);
  proxy.blackhole(true);
  const attempt = child.announces('reconnecting');
  proxy.cut();
  await attempt;
  const { stopped, exited, code } = await child.stop(1_000);
  t.is(code, 0);
  t.true(stopped < 1_500, `stopped after ${stopped} ms`);
  t.true(exited - stopped < 2_000, `ended ${exited - stopped} ms later`);
});

test('stop() ends by its deadline when the network has swallowed the connection.', async (t) => {
  const { proxy, url } = await proxied(t);
  const child = await childOn(t, { url, heartbeat: 30 }, jobOn().queue.name);
  proxy.stall();
  const { stopped, exited, code } = await child.stop(1_000);
  t.is(code, 0);
  t.true(stopped < 1_500, `stopped after ${stopped} ms`);
  t.true(exited - stopped < 2_000, `ended ${exited - stopped} ms later`);
});
