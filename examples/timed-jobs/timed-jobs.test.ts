import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { breakableBroker } from '@warren/test-broker';
import type { BreakableBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { orderTimeouts, placeOrder } from './timed-jobs.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/** A quorum queue that was declared a moment before its broker is killed is lost. */
const SETTLING = 3_000;

test.serial('a message with a short delay does not wait behind one with a long delay', async (t) => {
  const second = 100;
  const { worker, cancelled } = await shop(t, await breakableBroker(t));
  const placed = performance.now();
  await placeOrder(worker, '10 s', 10 * second);
  await placeOrder(worker, '1 s', second);
  const [first, last] = await cancelled.first(2);
  t.deepEqual([first?.id, last?.id], ['1 s', '10 s']);
  t.true(Number(first?.at) - placed >= second);
  t.true(Number(last?.at) - placed >= 10 * second);
});

test.serial('a paid order is not cancelled', async (t) => {
  const { worker, cancelled } = await shop(t, await breakableBroker(t), (id) => id === 'paid');
  await placeOrder(worker, 'paid', 50);
  await placeOrder(worker, 'unpaid', 100);
  t.is((await cancelled.first(1))[0]?.id, 'unpaid');
});

test.serial('the process that placed an order is killed: the order is cancelled once, at its time', async (t) => {
  const broker = await breakableBroker(t);
  const placed = performance.now();
  await placeAndDie(t, broker, ['order-1', '2s']);
  const { worker, cancelled } = await shop(t, broker);
  const [cancellation] = await cancelled.first(1);
  t.is(cancellation?.id, 'order-1');
  t.true(Number(cancellation?.at) - placed >= 2_000);
  await nothingLeft(t, broker, worker);
});

test.serial('the broker is killed: the order is cancelled once, at its time', async (t) => {
  const broker = await breakableBroker(t);
  const { worker, cancelled } = await shop(t, broker);
  const placed = performance.now();
  await placeOrder(worker, 'order-2', '10s');
  await sleep(SETTLING);
  await broker.kill();
  await broker.start();
  const [cancellation] = await cancelled.first(1);
  t.is(cancellation?.id, 'order-2');
  t.true(Number(cancellation?.at) - placed >= 10_000);
  await nothingLeft(t, broker, worker);
  t.is(cancelled.all.length, 1);
});

interface Cancellation {
  id: string;
  at: number;
}

async function shop(
  t: ExecutionContext,
  { url }: BreakableBroker,
  isPaid?: (id: string) => boolean,
): Promise<{ worker: Worker; cancelled: Recorder<Cancellation> }> {
  const cancelled = new Recorder<Cancellation>();
  const cancel = (id: string): void => cancelled.add({ id, at: performance.now() });
  const worker = orderTimeouts({ url, cancel, ...(isPaid && { isPaid }) });
  t.teardown(() => worker.stop());
  await worker.start();
  return { worker, cancelled };
}

async function placeAndDie(t: ExecutionContext, { url }: BreakableBroker, order: [id: string, timeout: string]): Promise<void> {
  const child = fork(MAIN, order, { env: { ...process.env, AMQP_URL: url }, silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const printed = new Recorder<string>();
  if (child.stdout) createInterface(child.stdout).on('line', printed.add);
  await printed.first(1);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** No copy of the message is anywhere: neither in the queue, nor on its way there. */
async function nothingLeft(t: ExecutionContext, broker: BreakableBroker, worker: Worker): Promise<void> {
  await worker.stop();
  const channel = await plainChannel(t, broker.url);
  const queues = await broker.queues();
  t.true(queues.length > 0);
  for (const queue of queues) t.is((await channel.checkQueue(queue)).messageCount, 0, queue);
}
