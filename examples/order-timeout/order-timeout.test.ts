import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { breakableBroker } from '@warren/test-broker';
import type { BreakableBroker } from '@warren/test-broker';
import { emptied } from '../_broker.js';
import { runMain, temporaryFolder } from '../_program.js';
import type { Program } from '../_program.js';
import { Recorder } from '../_recorder.js';
import { orderTimeouts, payOrder, placeOrder } from './order-timeout.js';

/** A quorum queue that was declared a moment before its broker is killed is lost. */
const SETTLING = 3_000;

/** Due while the broker starts, a message may be three minutes late (docs/delays.md). Of 17 seconds it waits the first 2^14 ms in one queue. */
const TIMEOUT = 17_000;

test.serial('an order is cancelled once, at its time, after its worker and then the broker were killed', async (t) => {
  const shop = await openShop(t);
  const first = shop.run('worker');
  await first.lines.first(1);
  const placed = Date.now();
  const [line = ''] = await shop.run('place', 'order-1', `${TIMEOUT}ms`).lines.first(1);
  t.regex(line, /order-1 is placed/);
  await first.kill();
  await sleep(SETTLING);
  await shop.broker.kill();
  await shop.broker.start();

  const [second, third] = [shop.run('worker'), shop.run('worker')];
  await Promise.all([second.lines.first(1), third.lines.first(1)]);
  const cancellation = await Promise.race([second, third].map(({ lines }) => lines.find(isCancellation)));
  t.true(Date.parse(cancellation.split(' ')[0] ?? '') >= placed + TIMEOUT, cancellation);
  await Promise.all([second.stop(), third.stop()]);
  await shop.nothingLeft();
  const cancellations = [first, second, third].flatMap(({ lines }) => lines.all.filter(isCancellation));
  t.deepEqual(cancellations, [cancellation]);
});

test.serial('an order that another process takes the payment of is not cancelled', async (t) => {
  const shop = await openShop(t);
  const { worker, cancellations } = await shop.worker();
  const paid = await placeOrder(worker, 'paid', '3s');
  await placeOrder(worker, 'unpaid', '4s');
  const [line = ''] = await shop.run('pay', paid.id).lines.first(1);
  t.regex(line, / Paid\.$/);
  t.is(await paid.state(), 'cancelled');
  await cancellations.first(1);
  await shop.nothingLeft();
  t.deepEqual(cancellations.all, ['unpaid']);
});

test.serial('an order is paid or cancelled, never both, and either answer stays', async (t) => {
  const shop = await openShop(t);
  const { worker, cancellations } = await shop.worker();
  const [late, early] = [await placeOrder(worker, 'late', 1), await placeOrder(worker, 'early', '1h')];
  await cancellations.first(1);
  t.deepEqual([await payOrder(worker, late.id), await payOrder(worker, late.id)], [false, false]);
  t.deepEqual([await payOrder(worker, early.id), await payOrder(worker, early.id)], [true, true]);
  t.false(await payOrder(worker, 'no such order'));
});

test.serial('an order that is placed twice has one timeout, its first', async (t) => {
  const shop = await openShop(t);
  const { worker, cancellations } = await shop.worker();
  const [once, again] = [await placeOrder(worker, 'order-2', 500), await placeOrder(worker, 'order-2', '1h')];
  t.deepEqual([once.duplicate, again.duplicate, again.id], [false, true, once.id]);
  await cancellations.first(1);
  await shop.nothingLeft();
  t.deepEqual(cancellations.all, ['order-2']);
});

const isCancellation = (line: string): boolean => line.endsWith(' order-1 is cancelled.');

interface Shop {
  readonly broker: BreakableBroker;
  /** A process of the shop. */
  run(...args: string[]): Program;
  /** A worker in this process, and the orders that it cancels. */
  worker(): Promise<{ worker: Worker; cancellations: Recorder<string> }>;
  /** Resolves when no timeout is anywhere: neither in its queue, nor on its way there. */
  nothingLeft(): Promise<void>;
}

async function openShop(t: ExecutionContext): Promise<Shop> {
  const broker = await breakableBroker(t);
  const { url } = broker;
  const store = `lmdb:${join(temporaryFolder(t), 'store')}`;
  return {
    broker,
    run: (...args) => runMain(t, 'order-timeout', { args, env: { AMQP_URL: url, WARREN_STORE: store } }),
    async worker() {
      const cancellations = new Recorder<string>();
      const worker = orderTimeouts({ url, store }, cancellations.add);
      t.teardown(() => worker.stop());
      await worker.start();
      return { worker, cancellations };
    },
    nothingLeft: async () => emptied(t, { url, queues: await broker.queues() }),
  };
}
