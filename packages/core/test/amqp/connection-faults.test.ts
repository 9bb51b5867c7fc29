// Lost connections: reset, closed by the broker, refused; what was in flight, late acknowledgements, the publish buffer, the server list.
import { randomUUID } from 'node:crypto';
import anyTest from 'ava';
import { freePort, withOwnRabbit } from '@warren/rabbitmq-node';
import { CONNECTION, Topology } from '../../src/index.js';
import {
  connections,
  consumerTag,
  consumingConnection,
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

test('A reset is one outage: disconnected once, attempts counted one by one, one alarm at the threshold, connected once.', async (t) => {
  const { proxy, url } = await proxied(t);
  const worker = workerOn(t, url, { reconnect: { initial: 20, max: 60, alarmAfter: 3 } });
  const seen = record(worker);
  await worker.start();
  await proxy.refuse(true);
  proxy.cut();
  await next(worker, 'reconnecting', ({ attempt }) => attempt === 6);
  const back = next(worker, 'connected');
  await proxy.refuse(false);
  await back;
  t.is(seen.of('disconnected').length, 1);
  const attempts = seen.of('reconnecting').map(({ attempt }) => attempt);
  t.deepEqual(
    attempts,
    [...attempts.keys()].map((index) => index + 1),
  );
  t.deepEqual(
    seen.of('alarm').map((alarm) => alarm.attempts),
    [3],
  );
  t.deepEqual(
    seen.of('connected').map(({ reconnected }) => reconnected),
    [false, true],
  );
  t.deepEqual(seen.of('fault'), []);
});

test('The waits between attempts are random, within bounds that double up to the maximum.', async (t) => {
  const { proxy, url } = await proxied(t);
  const worker = workerOn(t, url, { reconnect: { initial: 20, max: 100 } });
  const seen = record(worker);
  await worker.start();
  await proxy.refuse(true);
  proxy.cut();
  await next(worker, 'reconnecting', ({ attempt }) => attempt === 15);
  const delays = seen.of('reconnecting').map(({ delay }) => delay);
  for (const [index, delay] of delays.entries())
    t.true(delay >= 0 && delay <= Math.min(100, 20 * 2 ** index), `attempt ${index + 1}: ${delay}`);
  t.true(new Set(delays).size > 3, `not constant: ${delays.join(' ')}`);
});

test('Closed by the broker (320), a worker is back without the fixed wait and consumes on.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, node.url);
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const seen = record(worker);
  const back = next(worker, 'connected');
  await node.closeConnections('maintenance');
  await back;
  const [lost] = seen.of('disconnected');
  t.is((lost?.error as { code?: number } | undefined)?.code, 320);
  t.is(seen.of('disconnected').length, 1);
  t.is(seen.of('connected').length, 1);
  await worker.publish(job, 1);
  await tally.reaches(1);
});

test('The loss of the publishing connection leaves the consumers alone.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, node.url);
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const tag = await consumerTag(node, job.queue.name);
  const consuming = await consumingConnection(node, job.queue.name);
  const [publishing] = (await connections(node)).filter((pid) => pid !== consuming);
  const back = next(worker, 'connected');
  await node.ctl('close_connection', String(publishing), 'only this one');
  await back;
  t.is(await consumerTag(node, job.queue.name), tag);
  t.is(await consumingConnection(node, job.queue.name), consuming);
  await worker.publish(job, 7);
  await tally.reaches(7);
});

test('Messages in flight when the connection is cut are sent again under the same messageId (F1).', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const worker = workerOn(t, url);
  const seen = record(worker);
  await worker.start();
  await worker.publish(job, 0);
  const counting = await (await outsider(t, node.url)).createChannel();
  proxy.delay(300);
  const ids = Array.from({ length: 2_000 }, () => randomUUID());
  const confirmed = Promise.all(ids.map((messageId, index) => worker.publish(job, index, { messageId })));
  await until(async () => (await counting.checkQueue(job.queue.name)).messageCount > 1);
  proxy.cut();
  proxy.delay(0);
  await confirmed;
  t.is(seen.of('disconnected').length, 1);
  const found = await taken(await outsider(t, node.url), job.queue.name);
  t.deepEqual(
    ids.filter((id) => !found.includes(id)),
    [],
  );
});

test('A late ack after a reconnection settles no other message that has its delivery tag (F7a).', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const [late, held] = [latch(), latch()];
  const tally = new Tally();
  // The lost run goes on, and takes a place of its own.
  const worker = workerOn(t, url, { prefetch: 1, concurrency: 5 });
  worker.handle(job, async ({ payload }) => {
    tally.add(payload);
    await (payload === 1 ? late : held).passed;
  });
  await worker.start();
  await worker.publish(job, 1);
  await tally.reaches(1);
  await proxy.refuse(true);
  proxy.cut();
  // The first message goes another way, so that the second has its tag on the next channel.
  const other = await outsider(t, node.url);
  await until(async () => (await taken(other, job.queue.name)).length === 1);
  const back = next(worker, 'connected');
  await proxy.refuse(false);
  await back;
  await worker.publish(job, 2);
  await tally.reaches(2);
  late.release();
  await worker.publish(job, 3);
  const again = next(worker, 'connected');
  proxy.cut();
  await again;
  await tally.reaches(2, 2);
  t.is(tally.count(3), 0, 'the second was never settled, so with a prefetch of 1 the third has to wait');
  held.release();
  await tally.reaches(3);
});

test('Late acks whose tags the new channel does not know close nothing (F7b).', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const late = latch();
  const tally = new Tally();
  const worker = workerOn(t, url, { prefetch: 10 });
  worker.handle(job, async ({ payload }) => {
    tally.add(payload);
    if (payload < 5) await late.passed;
  });
  await worker.start();
  await Promise.all([0, 1, 2, 3, 4].map((payload) => worker.publish(job, payload)));
  await tally.reaches(4);
  await proxy.refuse(true);
  proxy.cut();
  const other = await outsider(t, node.url);
  const gone: string[] = [];
  await until(async () => gone.push(...(await taken(other, job.queue.name))) >= 5);
  const back = next(worker, 'connected');
  await proxy.refuse(false);
  await back;
  const seen = record(worker);
  await until(async () => (await consumerTag(node, job.queue.name)) !== undefined);
  const tag = await consumerTag(node, job.queue.name);
  late.release();
  await worker.publish(job, 9);
  await tally.reaches(9);
  t.is(await consumerTag(node, job.queue.name), tag);
  t.deepEqual(seen.all, []);
});

test('A job that ends while the worker is disconnected runs again after it, and nothing throws (F7c).', async (t) => {
  const { proxy, url } = await proxied(t);
  const job = jobOn();
  const late = latch();
  const tally = new Tally();
  const worker = workerOn(t, url);
  worker.handle(job, async ({ payload, redelivered }) => {
    tally.add(payload);
    if (!redelivered) await late.passed;
  });
  await worker.start();
  await worker.publish(job, 1);
  await tally.reaches(1);
  const lost = next(worker, 'disconnected');
  await proxy.refuse(true);
  proxy.cut();
  await lost;
  late.release();
  await next(worker, 'reconnecting');
  await proxy.refuse(false);
  await tally.reaches(1, 2);
  t.true((await worker.stop({ deadline: 2_000 })).drained);
  t.is(tally.count(1), 2);
});

test('100 000 publishes while offline keep to the bound, and those that were taken are sent afterwards (F2).', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const worker = workerOn(t, url, { publishBuffer: { messages: 1_000, whenFull: 'reject' } });
  await worker.start();
  await worker.publish(job, 0);
  const lost = next(worker, 'disconnected');
  await proxy.refuse(true);
  proxy.cut();
  await lost;
  const ends = Array.from({ length: 100_000 }, (_, index) =>
    worker.publish(job, index).then(
      () => 'confirmed',
      (error: { code: string }) => error.code,
    ),
  );
  await next(worker, 'reconnecting');
  await proxy.refuse(false);
  const results = await Promise.all(ends);
  t.is(results.filter((end) => end === 'confirmed').length, 1_000);
  t.is(results.filter((end) => end === 'ERR_PUBLISH_BUFFER_FULL').length, 99_000);
  t.is((await taken(await outsider(t, node.url), job.queue.name)).length, 1_001);
});

test('The publish buffer is bounded in bytes too.', async (t) => {
  const { proxy, url } = await proxied(t);
  const job = jobOn();
  const worker = workerOn(t, url, { publishBuffer: { bytes: 10_000, whenFull: 'reject' } });
  await worker.start();
  await worker.publish(job, 0);
  const lost = next(worker, 'disconnected');
  await proxy.refuse(true);
  proxy.cut();
  await lost;
  const send = (): Promise<void> => worker.send({ exchange: '', routingKey: job.queue.name, content: Buffer.alloc(4_000) });
  const taking = [send(), send()];
  await t.throwsAsync(send(), { code: 'ERR_PUBLISH_BUFFER_FULL' });
  await proxy.refuse(false);
  await t.notThrowsAsync(Promise.all(taking));
});

test('A full publish buffer that waits lets everything through in the end.', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const worker = workerOn(t, url, { publishBuffer: { messages: 50, whenFull: 'wait' } });
  await worker.start();
  await worker.publish(job, 0);
  proxy.cut();
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => worker.publish(job, index)));
  t.true((await taken(await outsider(t, node.url), job.queue.name)).length >= 1_001);
});

test('A publish that times out says whether it was sent.', async (t) => {
  const { proxy, url } = await proxied(t);
  const job = jobOn();
  const worker = workerOn(t, url);
  await worker.start();
  await worker.publish(job, 0);
  proxy.stall();
  await t.throwsAsync(worker.publish(job, 1, { timeout: 300 }), { code: 'ERR_PUBLISH_TIMEOUT', message: /It was sent/ });
  const lost = next(worker, 'disconnected');
  await proxy.refuse(true);
  proxy.resume();
  proxy.cut();
  await lost;
  await t.throwsAsync(worker.publish(job, 2, { timeout: 300 }), { code: 'ERR_PUBLISH_TIMEOUT', message: /It was not sent/ });
});

test('start() takes the first server of the list that answers, and an outage goes on to the next.', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const worker = workerOn(t, '', { url: [`amqp://127.0.0.1:${await freePort()}`, url, node.url] });
  const seen = record(worker);
  await worker.start();
  t.true(seen.of('connected')[0]?.url.includes(String(proxy.port)));
  const back = next(worker, 'connected');
  await proxy.refuse(true);
  proxy.cut();
  t.true((await back)?.url.includes(String(node.port)));
});

test('A connection that is lost while start() declares, and again while it begins to consume, does not fail it.', async (t) => {
  const { proxy, url } = await proxied(t);
  const worker = workerOn(t, url, {
    reconnect: { initial: 20, max: 60 },
    plugins: [{ name: 'cuts', start: () => proxy.cut() }],
  });
  const seen = record(worker);
  const [job, done] = [jobOn(), latch()];
  worker.handle(job, done.release);
  worker.on('connected', ({ reconnected }) => reconnected || proxy.cut());
  await worker.start();
  await worker.publish(job, 1);
  await done.passed;
  t.true(seen.of('disconnected').length > 0);
});

test('findServers that throws or finds nothing is asked again.', async (t) => {
  const node = await ownNode();
  let asked = 0;
  const findServers = async (): Promise<string[]> => {
    asked++;
    if (asked <= 2) throw new Error('no registry');
    return asked <= 4 ? [] : [node.url];
  };
  const worker = workerOn(t, node.url, { findServers });
  await t.notThrowsAsync(worker.start());
  t.true(asked >= 5);
});

test('findServers that never answers fails start() in time, and the error does not blame a server that was never asked.', async (t) => {
  const node = await ownNode();
  const worker = workerOn(t, node.url, { findServers: () => new Promise(() => {}), startTimeout: 1_000 });
  const from = performance.now();
  const error = await t.throwsAsync(worker.start(), { code: 'ERR_BROKER_UNREACHABLE' });
  t.true(performance.now() - from < 5_000);
  t.regex(error?.message ?? '', /findServers/);
});

test('findServers that never answers during an outage is given up and asked again.', async (t) => {
  const { proxy, node, url } = await proxied(t);
  let mute = false;
  const findServers = (): Promise<string> => (mute ? new Promise(() => {}) : Promise.resolve(url));
  const worker = workerOn(t, node.url, { findServers, brokerTimeout: 500 });
  await worker.start();
  mute = true;
  proxy.cut();
  const back = next(worker, 'connected');
  const gaveUp = await next(
    worker,
    'reconnecting',
    ({ error }) => (error as { code?: string } | undefined)?.code === 'ERR_BROKER_TIMEOUT',
  );
  t.truthy(gaveUp);
  mute = false;
  await back;
});

test('After stop() during a reconnect wait there is no further attempt.', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const worker = workerOn(t, url);
  await worker.start();
  await proxy.refuse(true);
  proxy.cut();
  await next(worker, 'reconnecting', ({ attempt }) => attempt === 2);
  await worker.stop({ deadline: 1_000 });
  const seen = record(worker);
  await proxy.refuse(false);
  await node.ctl('status');
  t.deepEqual(await connections(node), []);
  t.deepEqual(seen.all, []);
});

test('A queue that comes back with other arguments is a fault of its own: the other queues are consumed after the reconnection (F8).', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const [changed, job] = [jobOn(), jobOn()];
  const tally = new Tally();
  const worker = workerOn(t, url);
  worker.handle(changed, ({ payload }) => tally.add(payload));
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const lost = next(worker, 'disconnected');
  await proxy.refuse(true);
  proxy.cut();
  await lost;
  const other = await (await outsider(t, node.url)).createChannel();
  await other.deleteQueue(changed.queue.name);
  await other.assertQueue(changed.queue.name, { durable: true, maxLength: 5 });
  const fault = next(worker, 'fault');
  const back = next(worker, 'connected');
  await proxy.refuse(false);
  t.like(await fault, { what: 'declaring', error: { code: 'ERR_TOPOLOGY_MISMATCH' } });
  await back;
  await worker.publish(job, 1);
  await worker.send({ exchange: '', routingKey: changed.queue.name, content: '2' });
  await Promise.all([tally.reaches(1), tally.reaches(2)]);
  t.is(worker.state, 'running');
});

test('Offline nothing pretends to have been declared: it is declared after the outage, or rejects in time (F12).', async (t) => {
  const { node, proxy, url } = await proxied(t);
  const job = jobOn();
  const worker = workerOn(t, url, { publishTimeout: 1_500 });
  await worker.start();
  const connection = worker.resolve(CONNECTION);
  const lost = next(worker, 'disconnected');
  await proxy.refuse(true);
  proxy.cut();
  await lost;
  await t.throwsAsync(connection.depth(job.queue.name), { code: 'ERR_CONNECTION_LOST' });
  await t.throwsAsync(connection.declare(new Topology().queue(jobOn().queue)), { code: 'ERR_BROKER_TIMEOUT' });
  const declared = connection.declare(new Topology().queue(job.queue));
  await proxy.refuse(false);
  await declared;
  t.deepEqual(await taken(await outsider(t, node.url), job.queue.name), []);
});
