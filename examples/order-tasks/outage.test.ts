import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Job, Worker } from '@warren/core';
import { startProxy } from '@warren/rabbitmq-node';
import { createStore } from '@warren/store';
import { breakableBroker } from '@warren/test-broker';
import type { BreakableBroker } from '@warren/test-broker';
import { Recorder } from '../_recorder.js';
import { orderConsumer, orderTask, startProducer } from './order-tasks.js';
import type { ConsumerOptions, Producer } from './order-tasks.js';

const FIVE = ['第0条消息', '第1条消息', '第2条消息', '第3条消息', '第4条消息'];
const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const reconnect = { initial: 50, max: 200, alarmAfter: 3 };

test.serial('the broker is killed and comes back: the worker counts its attempts, raises an alarm, and goes on', async (t) => {
  const broker = await breakableBroker(t);
  const { worker, orders, watched } = await consumer(t, { url: broker.url });
  await broker.kill();
  await watched.alarms.first(1);
  await broker.start();
  await watched.reconnected.first(1);
  await worker.publish(orderTask, '第0条消息');
  await orders.first(1);
  t.deepEqual(
    watched.attempts.all,
    watched.attempts.all.map((_, index) => index + 1),
  );
  t.deepEqual(watched.alarms.all, [3]);
  t.is(watched.reconnected.all.length, 1);
});

interface Cut {
  /** What the worker connects to. */
  url: string;
  cut: () => unknown;
}

const cuts: Record<string, (t: ExecutionContext, broker: BreakableBroker) => Promise<Cut>> = {
  async 'reset, with an error and a close,'(t, broker) {
    const proxy = await startProxy(broker);
    t.teardown(() => proxy.close());
    return { url: proxy.url(broker.url), cut: () => proxy.cut() };
  },
  'closed by the broker': async (_, broker) => ({ url: broker.url, cut: () => broker.closeConnections() }),
};

for (const [how, prepare] of Object.entries(cuts)) {
  test.serial(`a connection that is ${how} is made again once`, async (t) => {
    const broker = await breakableBroker(t);
    const { url, cut } = await prepare(t, broker);
    const { worker, orders, watched } = await consumer(t, { url });
    await cut();
    await watched.reconnected.first(1);
    await worker.publish(orderTask, '第0条消息');
    await orders.first(1);
    t.deepEqual([watched.disconnected.all.length, watched.reconnected.all.length], [1, 1]);
    t.is(await broker.connections(), 2, 'one for consuming, one for publishing');
  });
}

test.serial('a job that outlives its connection is delivered again, and its late ack hits nothing else', async (t) => {
  const broker = await breakableBroker(t);
  const { url } = broker;
  const runs = new Recorder<() => void>();
  const onOrder = (): Promise<void> => new Promise((resolve) => runs.add(resolve));
  const { worker, orders, watched } = await consumer(t, { url, onOrder });
  await worker.publish(orderTask, '第0条消息');
  await worker.publish(orderTask, '第1条消息');
  const [finishFirst] = await runs.first(1);
  await broker.closeConnections();
  await watched.reconnected.first(1);

  // Delivered again, it waits for the first run to end: the worker does one job at a time.
  while ((await broker.counts('order_tasks')).unacked === 0);
  finishFirst?.();
  const [, finishAgain] = await runs.first(2);
  t.deepEqual(await broker.counts('order_tasks'), { ready: 1, unacked: 1 }, 'the late ack has settled nothing');
  finishAgain?.();
  const [, , finishNext] = await runs.first(3);
  finishNext?.();
  t.deepEqual(
    (await orders.first(3)).map(({ payload, redelivered }) => [payload, redelivered]),
    [
      ['第0条消息', false],
      ['第0条消息', true],
      ['第1条消息', false],
    ],
  );
  await worker.stop();
  t.deepEqual(await broker.counts('order_tasks'), { ready: 0, unacked: 0 });
});

test.serial('what is published while the broker is away is sent when it is back', async (t) => {
  const broker = await breakableBroker(t);
  const { url } = broker;
  await using producer = await startProducer({ url, reconnect, port: 0 });
  t.deepEqual(await get(producer), [200, { published: 5 }]);
  await broker.kill();
  const answered = get(producer);
  await broker.start();
  t.deepEqual(await answered, [200, { published: 5 }]);
  const { orders } = await consumer(t, { url });
  const consumed = await orders.first(10);
  t.deepEqual(
    consumed.map(({ payload }) => payload),
    [...FIVE, ...FIVE],
  );
});

test.serial('a publisher that does not wait that long is told', async (t) => {
  const broker = await breakableBroker(t);
  await using producer = await startProducer({ url: broker.url, reconnect, publishTimeout: 300, port: 0 });
  t.deepEqual(await get(producer), [200, { published: 5 }]);
  await broker.kill();
  t.teardown(() => broker.start());
  t.deepEqual(await get(producer), [503, { error: 'ERR_PUBLISH_TIMEOUT' }]);
});

test.serial('what a producer had published when it was killed itself is sent by the next one', async (t) => {
  const broker = await breakableBroker(t);
  const folder = await mkdtemp(join(tmpdir(), 'warren-orders-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const producer = await producerProcess(t, { url: broker.url, folder });
  await broker.kill();
  const unanswered = t.throwsAsync(get(producer));
  await spooled(t, { folder, messages: 5 });
  await producer.kill();
  await unanswered;

  await broker.start();
  await producerProcess(t, { url: broker.url, folder });
  const { worker, orders } = await consumer(t, { url: broker.url });
  const consumed = await orders.first(5);
  t.deepEqual(
    consumed.map(({ payload }) => payload),
    FIVE,
  );
  await worker.stop();
  t.deepEqual(await broker.counts('order_tasks'), { ready: 0, unacked: 0 });
});

interface ProducerProcess extends Pick<Producer, 'port'> {
  /** kill -9. */
  kill: () => Promise<void>;
}

/** `main.js producer` with its spool below `folder`, once it listens; it ends with the test. */
async function producerProcess(t: ExecutionContext, { url, folder }: { url: string; folder: string }): Promise<ProducerProcess> {
  const child = spawn(process.execPath, [MAIN, 'producer', '0'], {
    cwd: folder,
    env: { ...process.env, AMQP_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  t.teardown(kill);
  const [said] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { port: Number(new URL(said.split(' ', 1)[0] ?? '').port), kill };
}

/** Resolves when a producer's spool below `folder` holds so many messages. */
async function spooled(t: ExecutionContext, { folder, messages }: { folder: string; messages: number }): Promise<void> {
  const store = createStore(`lmdb:${join(folder, '.warren/spool')}`);
  t.teardown(() => store.close());
  for (;;) {
    let kept = 0;
    for await (const _ of store.list('spool/message/')) kept++;
    if (kept === messages) return;
    await sleep(20);
  }
}

async function get({ port }: Pick<Producer, 'port'>): Promise<[status: number, body: unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}/producer`);
  return [response.status, await response.json()];
}

interface Consumer {
  worker: Worker;
  orders: Recorder<Job<string>>;
  watched: ReturnType<typeof watch>;
}

/** A running consumer, quick at reconnecting, with all that it says. */
async function consumer(t: ExecutionContext, options: { url: string } & Partial<ConsumerOptions>): Promise<Consumer> {
  const orders = new Recorder<Job<string>>();
  const onOrder = (job: Job<string>): unknown => {
    orders.add(job);
    return options.onOrder?.(job);
  };
  const worker = orderConsumer({ duration: 0, reconnect, ...options, onOrder });
  const watched = watch(worker);
  t.teardown(() => worker.stop({ deadline: 2_000 }));
  await worker.start();
  return { worker, orders, watched };
}

function watch(worker: Worker) {
  const [attempts, alarms] = [new Recorder<number>(), new Recorder<number>()];
  const [reconnected, disconnected] = [new Recorder<string>(), new Recorder<string>()];
  worker.on('reconnecting', ({ attempt }) => attempts.add(attempt));
  worker.on('alarm', (alarm) => alarms.add(alarm.attempts));
  worker.on('disconnected', () => disconnected.add('disconnected'));
  worker.on('connected', (event) => event.reconnected && reconnected.add(event.url));
  return { attempts, alarms, reconnected, disconnected };
}
