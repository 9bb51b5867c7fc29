// On a RabbitMQ of this file's own, which is stopped and killed: what was confirmed arrives, and nothing arrives early.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { defineJob, TOPOLOGY } from '@warren/core';
import type { JobType, WorkerEventMap } from '@warren/core';
import { startRabbit, withOwnRabbit } from '@warren/rabbitmq-node';
import type { RabbitNode } from '@warren/rabbitmq-node';
import { Arrivals, outsider, workerWith } from './_rabbit.js';

const broker = withOwnRabbit(test.serial);

/** A quorum queue survives kill -9 once its declaration has reached the disk, which the broker does not tell. */
const SETTLED = 3_500;
const COUNT = 1_000;

let node: RabbitNode;
let directory: string;

/** At boot a level may be there before the next: the broker then tries again, after three minutes unless it is told otherwise. */
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'warren-delay-'));
  node = await startRabbit({ directory });
  await node.stop();
  await writeFile(join(directory, 'advanced.config'), '[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}].\n');
  await node.start();
});

test.after.always(async () => {
  await node[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function durableJob(): JobType<number> {
  return defineJob<number>('delayed', { queue: `delay-test.${randomUUID()}` });
}

const outages: ReadonlyArray<[string, () => Promise<void>]> = [
  ['killed', () => node.kill()],
  ['stopped', () => node.stop()],
];

for (const [how, interrupt] of outages) {
  broker(`a broker that is ${how} with messages on their way loses none, and none is early`, async (t) => {
    // A broker that boots may try each level again, after five seconds each.
    t.timeout(300_000);
    const arrivals = new Arrivals();
    const job = durableJob();
    const worker = await workerWith(t, {}, node.url);
    worker.handle(job, ({ payload }) => arrivals.arrived(payload));
    await worker.start();
    await sleep(SETTLED);
    const ids = Array.from({ length: COUNT }, (_, id) => id);
    const publish = (id: number): Promise<void> => {
      // Some are on their way still, however long the broker takes to stop.
      const delay = id % 20 === 0 ? 18_000 : 1_000 + Math.floor(Math.random() * 11_000);
      arrivals.expect(id, delay);
      return worker.publish(job, id, { delay });
    };
    await Promise.all(ids.map(publish));
    await arrivals.some(COUNT / 5);
    await interrupt();
    t.true(arrivals.order.length < COUNT);
    await node.start();
    await arrivals.all(ids);
    t.log(`the latest came ${Math.round(Math.max(...arrivals.late))} ms after it was due`);
    t.deepEqual(
      arrivals.late.filter((ms) => !(ms >= 0)),
      [],
    );
  });
}

broker('a publisher that is killed after the confirm has published', async (t) => {
  const job = durableJob();
  const child = fork(new URL('_publisher.js', import.meta.url), [node.url, job.queue.name, '100', '2000'], { execArgv: [] });
  await once(child, 'message');
  child.kill('SIGKILL');
  const arrivals = new Arrivals();
  const worker = await workerWith(t, {}, node.url);
  worker.handle(job, ({ payload }) => arrivals.arrived(payload));
  await worker.start();
  await arrivals.all(Array.from({ length: 100 }, (_, id) => id));
  t.is(arrivals.order.length, 100);
});

broker("another's queue that has gone is no fault after an outage, and is found again when it is back", async (t) => {
  const channel = await outsider(t, node.url);
  const { queue } = await channel.assertQueue(`delay-test.${randomUUID()}`);
  const worker = await workerWith(t, {}, node.url);
  const declaring: Array<WorkerEventMap['fault'][0]> = [];
  worker.on('fault', (fault) => fault.what === 'declaring' && declaring.push(fault));
  await worker.start();
  const message = { exchange: '', routingKey: queue, content: 'x', options: { delay: 100 } };
  await worker.send(message);
  await channel.deleteQueue(queue);
  const connected = new Promise<void>((resolve) => worker.on('connected', () => resolve()));
  await node.closeConnections();
  await connected;
  t.deepEqual(declaring, []);
  t.false([...worker.resolve(TOPOLOGY).bindings.values()].some(({ destination }) => destination === queue));
  const again = await outsider(t, node.url);
  await again.assertQueue(queue);
  const arrived = new Promise((resolve) => void again.consume(queue, resolve, { noAck: true }));
  await worker.send(message);
  t.truthy(await arrived);
});
