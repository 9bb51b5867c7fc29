import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { CONNECTION } from '@warren/core';
import type { Worker } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import rateLimit from '@warren/plugin-ratelimit';
import type { RateLimitPluginOptions } from '@warren/plugin-ratelimit';
import { freshBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { qos, throttled } from './throttling.js';

const FIVE = ['message 1', 'message 2', 'message 3', 'message 4', 'message 5'];

test('of five messages one is delivered while its ack is withheld; then all five come in order', async (t) => {
  const { worker, delivered, acknowledge } = await withheld(t);
  await delivered.first(1);
  t.is(await ready(worker), 4);
  t.deepEqual(delivered.all, ['message 1']);
  acknowledge();
  t.deepEqual(await delivered.first(5), FIVE);
});

test('a prefetch holds for each consumer, for each channel, and the smaller one of both', async (t) => {
  const levels: Array<[limits: RateLimitPluginOptions, atATime: number]> = [
    [{ prefetch: 3 }, 3],
    [{ prefetch: 4, channelPrefetch: 2 }, 2],
    [{ prefetch: 2, channelPrefetch: 4 }, 2],
  ];
  for (const [limits, atATime] of levels) {
    const { worker, delivered, acknowledge } = await withheld(t, limits);
    await delivered.first(atATime);
    t.is(await ready(worker), 5 - atATime);
    acknowledge();
    t.deepEqual(await delivered.first(5), FIVE);
  }
});

test('a prefetch for each channel is refused where the broker would ignore it, and the error says what to use', async (t) => {
  const worker = createTestWorker({ plugins: [rateLimit({ channelPrefetch: 2 })] });
  worker.connection.capabilities = { ...worker.connection.capabilities, version: 'RabbitMQ 4.3.6', channelPrefetch: false };
  worker.handle(qos, () => {});
  await t.throwsAsync(worker.start(), { code: 'ERR_UNSUPPORTED_BY_BROKER', message: /RabbitMQ 4\.3\.6\. Use prefetch/ });
});

test('offered 2000 in a second, a service that can do 1000 starts no more than that, and nothing is lost', async (t) => {
  const [offered, second] = [2_500, 1_000];
  const starts = new Recorder<[text: string, at: number]>();
  const { url } = await freshBroker(t);
  const worker = throttled({
    url,
    limits: { prefetch: 100, max: 1_000, per: second },
    consume: (text) => starts.add([text, performance.now()]),
  });
  t.teardown(() => worker.stop());
  await worker.start();
  const published: Array<Promise<void>> = [];
  while (published.length < offered) {
    for (let burst = 0; burst < 20; burst++) published.push(worker.publish(qos, `message ${published.length}`));
    await sleep(10);
  }
  await Promise.all(published);

  const started = await starts.first(offered);
  t.is(new Set(started.map(([text]) => text)).size, offered);
  const times = started.map(([, at]) => at);
  // Our clock is read a moment after the limiter's.
  t.true(densest(times, second - 20) <= 1_000);
  t.is(await ready(worker), 0);
});

/** Five messages for a consumer that acknowledges nothing until it is told to. */
async function withheld(t: ExecutionContext, limits?: RateLimitPluginOptions): Promise<Withheld> {
  const delivered = new Recorder<string>();
  const acknowledged = new Recorder<boolean>();
  const consume = (text: string): Promise<unknown> => {
    delivered.add(text);
    return acknowledged.first(1);
  };
  const { url } = await freshBroker(t);
  await declareAsArticle(t, url);
  const worker = throttled({ url, consume, ...(limits && { limits }) });
  t.teardown(() => worker.stop());
  await worker.start();
  for (const text of FIVE) await worker.publish(qos, text);
  return { worker, delivered, acknowledge: () => acknowledged.add(true) };
}

/** With plain amqplib: what the worker declares is the same. */
async function declareAsArticle(t: ExecutionContext, url: string): Promise<void> {
  const channel = await plainChannel(t, url);
  await channel.assertExchange('qosEx', 'topic', { durable: true });
  await channel.assertQueue('qosQueue');
  await channel.bindQueue('qosQueue', 'qosEx', 'qos.#');
}

interface Withheld {
  worker: Worker;
  delivered: Recorder<string>;
  acknowledge: () => void;
}

/** Messages that the broker still has to deliver. */
async function ready(worker: Worker): Promise<number> {
  return (await worker.resolve(CONNECTION).depth(qos.queue.name)).ready;
}

/** The most that lie in any window of so many milliseconds; `times` in order. */
function densest(times: readonly number[], window: number): number {
  let [first, most] = [0, 0];
  for (const [last, time] of times.entries()) {
    while ((times[first] ?? time) + window <= time) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
