// One consumer's trouble: its queue deleted, its channel closed, its handler throwing. The connection and the other consumers stay.
import { setTimeout as sleep } from 'node:timers/promises';
import anyTest from 'ava';
import type { ExecutionContext } from 'ava';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import { ack, CONNECTION, fixed, HEADERS, requeue } from '../../src/index.js';
import type { JobType, Worker, WorkerOptions } from '../../src/index.js';
import { consumerCount, consumerTag, jobOn, latch, next, outsider, ownNode, record, Tally, until, workerOn } from '../_faults.js';

const test = withOwnRabbit(anyTest.serial);

/** A worker with a consumer that is about to be hit and one that must not notice. */
async function pair(t: ExecutionContext, handle: (worker: Worker) => void, options: WorkerOptions = {}) {
  const node = await ownNode();
  const bystander: JobType<number> = jobOn();
  const undisturbed = new Tally();
  const worker = workerOn(t, node.url, options);
  handle(worker);
  worker.handle(bystander, ({ payload }) => undisturbed.add(payload));
  await worker.start();
  const tag = await consumerTag(node, bystander.queue.name);
  const check = async (): Promise<void> => {
    // Both consumers share a connection: the same tag is the same consumer, on the same channel, on the same connection.
    t.is(await consumerTag(node, bystander.queue.name), tag, 'the other consumer is the same');
    await worker.publish(bystander, 1);
    await undisturbed.reaches(1);
  };
  return { node, worker, check };
}

test('A deleted queue is declared again and consumed, on the same connection; the other consumer is not touched (F11).', async (t) => {
  const job = jobOn();
  const tally = new Tally();
  const { node, worker, check } = await pair(t, (one) => one.handle(job, ({ payload }) => tally.add(payload)));
  const seen = record(worker);
  await node.ctl('delete_queue', job.queue.name);
  await until(async () => (await consumerTag(node, job.queue.name)) !== undefined);
  await worker.publish(job, 1);
  await tally.reaches(1);
  await check();
  t.deepEqual(
    seen.all.map(({ event }) => event),
    ['fault'],
  );
  t.like(seen.of('fault')[0]?.error, { code: 'ERR_CONSUMER_CANCELLED' });
});

test('A deleted queue that is not ours to declare is consumed again when its owner has declared it.', async (t) => {
  const job = jobOn({ declare: false });
  const tally = new Tally();
  const owner = await (await outsider(t, (await ownNode()).url)).createChannel();
  await owner.assertQueue(job.queue.name, { durable: true });
  const { worker, check } = await pair(t, (one) => one.handle(job, ({ payload }) => tally.add(payload)));
  const missing = next(worker, 'fault', ({ error }) => (error as unknown as { code: string }).code === 'ERR_TOPOLOGY_MISSING');
  await owner.deleteQueue(job.queue.name);
  t.true((await missing).what.includes(job.queue.name));
  await owner.assertQueue(job.queue.name, { durable: true });
  owner.sendToQueue(job.queue.name, Buffer.from('5'));
  await tally.reaches(5);
  await check();
});

/** Milliseconds in place of the half hour that a broker gives a job by default. */
const CONSUMER_TIMEOUT = 1_000;

async function shortConsumerTimeout(t: ExecutionContext): Promise<void> {
  const node = await ownNode();
  const set = (timeout: number, tick: number) =>
    node.eval(
      `application:set_env(rabbit, consumer_timeout, ${timeout}), application:set_env(rabbit, channel_tick_interval, ${tick}).`,
    );
  await set(CONSUMER_TIMEOUT, 300);
  t.teardown(() => set(1_800_000, 60_000));
}

for (const type of ['classic', 'quorum'] as const) {
  test(`A job beyond the consumer timeout of a ${type} queue comes again on a new channel, and its late end does no harm.`, async (t) => {
    const job = jobOn({ type });
    const tally = new Tally();
    const late = latch();
    await shortConsumerTimeout(t);
    const { node, worker, check } = await pair(t, (one) =>
      one.handle(job, async ({ payload, redelivered }) => {
        tally.add(payload);
        if (!redelivered) await late.passed;
      }),
    );
    const effect = worker.resolve(CONNECTION).capabilities.consumerTimeout[type];
    const fault = next(worker, 'fault');
    await worker.publish(job, 1);
    if (effect === 'none') {
      await sleep(3 * CONSUMER_TIMEOUT);
    } else {
      const { what, error } = await fault;
      t.true(what.includes(job.queue.name));
      t.like(error, { code: effect === 'cancel' ? 'ERR_CONSUMER_CANCELLED' : 'ERR_CHANNEL_CLOSED' });
      t.regex(error.message, /timeout/i);
      await tally.reaches(1, 2);
    }
    const tag = await consumerTag(node, job.queue.name);
    late.release();
    await worker.publish(job, 2);
    await tally.reaches(2);
    t.is(await consumerTag(node, job.queue.name), tag);
    t.is(tally.count(1), effect === 'none' ? 1 : 2);
    await check();
  });
}

test('A delivery that is settled twice, and one that is settled by the handler, close nothing.', async (t) => {
  const job = jobOn();
  const tally = new Tally();
  const { node, worker, check } = await pair(t, (one) =>
    one.handle(job, ({ payload, delivery }) => {
      delivery.ack();
      delivery.ack();
      delivery.requeue();
      tally.add(payload);
    }),
  );
  const seen = record(worker);
  const tag = await consumerTag(node, job.queue.name);
  await worker.publish(job, 1);
  await worker.publish(job, 2);
  await tally.reaches(2);
  t.is(await consumerTag(node, job.queue.name), tag);
  t.deepEqual(seen.all, []);
  await check();
});

for (const [how, fail] of [
  [
    'throws',
    () => {
      throw new TypeError('at once');
    },
  ],
  ['rejects', () => Promise.reject(new TypeError('later'))],
  [
    'throws null',
    () => {
      throw null;
    },
  ],
  ['rejects with nothing', () => Promise.reject(undefined)],
] as ReadonlyArray<readonly [string, () => Promise<void>]>) {
  test(`A handler that ${how} is that job's failure alone: retried, then dead-lettered with its reason (F14).`, async (t) => {
    const job = jobOn({ deadLetter: true });
    let runs = 0;
    const { node, worker, check } = await pair(t, (one) =>
      one.handle(
        job,
        () => {
          runs++;
          return fail();
        },
        { retry: fixed({ maxAttempts: 2, delay: 0 }) },
      ),
    );
    const seen = record(worker);
    const tag = await consumerTag(node, job.queue.name);
    await worker.publish(job, 1, { messageId: 'failing' });
    const dead = await (await outsider(t, node.url)).createChannel();
    await until(async () => (await dead.checkQueue(`${job.queue.name}.dead`)).messageCount === 1);
    const message = await dead.get(`${job.queue.name}.dead`, { noAck: true });
    t.is(runs, 2);
    t.like(message && message.properties, { messageId: 'failing' });
    t.like(message && message.properties.headers, { [HEADERS.attempt]: 2, [HEADERS.queue]: job.queue.name });
    t.is(typeof (message && message.properties.headers?.[HEADERS.errorMessage]), 'string');
    t.is(await consumerTag(node, job.queue.name), tag);
    t.deepEqual(seen.all, []);
    await check();
  });
}

test("A job that is given back beyond its queue's delivery limit is dead-lettered by a broker that counts this, with the reason.", async (t) => {
  const job = jobOn({ type: 'quorum', deadLetter: true, arguments: { 'x-delivery-limit': 2 } });
  const tally = new Tally();
  const { node, worker, check } = await pair(t, (one) =>
    one.handle(job, ({ payload }) => {
      tally.add(payload);
      return tally.count(payload) < 6 ? requeue : ack;
    }),
  );
  const { requeueCounts } = worker.resolve(CONNECTION).capabilities;
  await worker.publish(job, 1, { messageId: 'undeliverable' });
  await tally.reaches(1, requeueCounts ? 3 : 6);
  const dead = await (await outsider(t, node.url)).createChannel();
  if (requeueCounts) {
    await until(async () => (await dead.checkQueue(`${job.queue.name}.dead`)).messageCount === 1);
    const message = await dead.get(`${job.queue.name}.dead`, { noAck: true });
    t.like(message && message.properties, { messageId: 'undeliverable' });
    t.like(message && message.properties.headers?.['x-death']?.[0], { reason: 'delivery_limit', queue: job.queue.name });
  }
  t.is(tally.count(1), requeueCounts ? 3 : 6);
  await check();
});

test('A queue that is deleted again and again is declared again each time.', async (t) => {
  const job = jobOn();
  const tally = new Tally();
  const { node, worker, check } = await pair(t, (one) => one.handle(job, ({ payload }) => tally.add(payload)));
  const outside = await outsider(t, node.url);
  const deleting = await outside.createChannel();
  for (let round = 1; round <= 10; round++) {
    await deleting.deleteQueue(job.queue.name);
    await until(async () => (await consumerCount(outside, job.queue.name)) === 1);
  }
  await worker.publish(job, 1);
  await tally.reaches(1);
  await check();
});

test('A queue that is deleted while its consumer is being set up is consumed in the end.', async (t) => {
  const job = jobOn();
  const tally = new Tally();
  const { node, worker, check } = await pair(t, (one) => one.handle(job, ({ payload }) => tally.add(payload)));
  const deleting = await (await outsider(t, node.url)).createChannel();
  const until2s = performance.now() + 2_000;
  while (performance.now() < until2s) await deleting.deleteQueue(job.queue.name);
  await until(async () => (await consumerTag(node, job.queue.name)) !== undefined);
  await worker.publish(job, 1);
  await tally.reaches(1);
  await check();
});
