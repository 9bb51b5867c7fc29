import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { CONNECTION, createWorker } from '@warren/core';
import { freshBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { orderConsumer, orderTask, startProducer } from './order-tasks.js';

test('five messages are consumed in order, one every five seconds', async (t) => {
  const { url } = await freshBroker(t);
  const duration = 50;
  const orders = new Recorder<[text: string, at: number]>();
  await using worker = orderConsumer({ url, duration, onOrder: ({ payload }) => orders.add([payload, performance.now()]) });
  await worker.start();
  await using producer = await startProducer({ url, port: 0 });
  const response = await fetch(`http://127.0.0.1:${producer.port}/producer`);
  t.deepEqual(await response.json(), { published: 5 });

  const consumed = await orders.first(5);
  t.deepEqual(
    consumed.map(([text]) => text),
    ['第0条消息', '第1条消息', '第2条消息', '第3条消息', '第4条消息'],
  );
  const waits = consumed.slice(1).map(([, at], index) => at - Number(consumed[index]?.[1]));
  t.true(
    waits.every((wait) => wait >= duration - 2),
    String(waits),
  );
});

test('a plain program and the framework share exchange and queue', async (t) => {
  const { url } = await freshBroker(t);
  const channel = await plainChannel(t, url);
  await channel.assertExchange('task', 'direct', { durable: true });
  await channel.assertQueue('order_tasks', { durable: true });
  await channel.bindQueue('order_tasks', 'task', 'order_task');
  channel.publish('task', 'order_task', Buffer.from('第0条消息'));
  const orders = new Recorder<string>();
  await using worker = orderConsumer({ url, duration: 1, onOrder: ({ payload }) => orders.add(payload) });
  await worker.start();
  t.deepEqual(await orders.first(1), ['第0条消息']);
});

test('a backlog of 20 000 messages is taken a prefetch at a time, and memory does not grow with it', async (t) => {
  const { url } = await freshBroker(t);
  const [count, size, prefetch] = [20_000, 4_096, 50];
  await fillBacklog(url, { count, size });
  const before = await liveMemory();
  const orders = new Recorder<string>();
  const gate = new Recorder<string>();
  let [running, most] = [0, 0];
  const onOrder = async ({ payload }: { payload: string }): Promise<void> => {
    most = Math.max(most, ++running);
    orders.add(payload.slice(0, 10));
    await gate.first(1);
    running--;
  };
  await using worker = orderConsumer({ url, prefetch, duration: 0, onOrder });
  await worker.start();
  await orders.first(prefetch);
  t.is((await worker.resolve(CONNECTION).depth('order_tasks')).ready, count - prefetch);
  const held = await liveMemory();
  gate.add('open');
  await orders.first(count);
  const grown = Math.max(held, await liveMemory()) - before;
  t.true(grown < (count * size) / 4, `grown by ${grown} bytes under a backlog of ${count * size}`);
  t.is(most, prefetch);
});

async function fillBacklog(url: string, { count, size }: { count: number; size: number }): Promise<void> {
  await using worker = createWorker({ url });
  await worker.start();
  const order = 'x'.repeat(size);
  for (let sent = 0; sent < count; sent += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, () => worker.publish(orderTask, order)));
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, without garbage; message bodies are outside the heap, and given back a moment after the garbage was found. */
async function liveMemory(): Promise<number> {
  const looks: number[] = [];
  while (looks.length < 3) {
    collectGarbage();
    await sleep(50);
    const { heapUsed, external } = process.memoryUsage();
    looks.push(heapUsed + external);
  }
  return Math.min(...looks);
}
