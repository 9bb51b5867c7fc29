// A broker short of memory or disk: it stops reading connections that publish. Publishes wait, consumers go on.
import anyTest from 'ava';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import { CONNECTION, Topology } from '../../src/index.js';
import type { JobType, Worker } from '../../src/index.js';
import { connections, jobOn, latch, next, outsider, ownNode, record, taken, Tally, until, workerOn } from '../_faults.js';

const test = withOwnRabbit(anyTest.serial);

const FULL = ['set_vm_memory_high_watermark', '0'];
const ENOUGH = ['set_vm_memory_high_watermark', '0.4'];

/** Raises the alarm; a connection is told of it when it publishes, and that message waits at the broker. Resolves with its confirm, not awaited. */
async function block(
  worker: Worker,
  job: JobType<number>,
  alarm: readonly string[] = FULL,
): Promise<{ reason: string; confirmed: Promise<void> }> {
  const blocked = next(worker, 'blocked');
  const node = await ownNode();
  await node.ctl(...alarm);
  const confirmed = worker.publish(job, 100);
  confirmed.catch(() => {});
  return { reason: (await blocked)?.reason ?? '', confirmed };
}

anyTest.afterEach.always(async () => {
  const node = await ownNode();
  await node.ctl(...ENOUGH);
  await node.ctl('set_disk_free_limit', '50MB');
});

test('A memory alarm: blocked is announced, publishes are held and sent after it, consumers go on acknowledging.', async (t) => {
  const node = await ownNode();
  const [job, other] = [jobOn(), jobOn()];
  const tally = new Tally();
  const held = latch();
  const worker = workerOn(t, node.url, { prefetch: 2 });
  worker.handle(job, async ({ payload }) => {
    await held.passed;
    tally.add(payload);
  });
  await worker.start();
  await worker.publish(other, 0);
  await Promise.all([1, 2, 3, 4, 5, 6].map((payload) => worker.publish(job, payload)));
  const seen = record(worker);
  const { reason, confirmed } = await block(worker, other);
  t.is(reason, 'low on memory');
  const late = [1, 2, 3].map((payload) => worker.publish(other, payload));
  held.release();
  // With a prefetch of two the sixth comes only when four have been acknowledged.
  await tally.reaches(6);
  t.is(
    (await worker.resolve(CONNECTION).depth(other.queue.name)).ready,
    1,
    'the consuming connection is still served, and nothing was published',
  );
  await t.notThrowsAsync(worker.resolve(CONNECTION).declare(new Topology().queue(jobOn().queue)));
  const unblocked = next(worker, 'unblocked');
  await node.ctl(...ENOUGH);
  await unblocked;
  await Promise.all([confirmed, ...late]);
  t.is((await worker.resolve(CONNECTION).depth(other.queue.name)).ready, 5);
  t.deepEqual(
    seen.all.map(({ event }) => event),
    ['blocked', 'unblocked'],
  );
});

test('A publish that times out while the broker is blocked was not sent, and is not sent later.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const { confirmed } = await block(worker, job);
  await t.throwsAsync(worker.publish(job, 1, { timeout: 200 }), { code: 'ERR_PUBLISH_TIMEOUT', message: /It was not sent/ });
  const unblocked = next(worker, 'unblocked');
  await node.ctl(...ENOUGH);
  await unblocked;
  await confirmed;
  await worker.publish(job, 2);
  t.is((await worker.resolve(CONNECTION).depth(job.queue.name)).ready, 3);
});

test('A worker that starts during an alarm is not told; its publishes are confirmed when the alarm is over.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  await node.ctl(...FULL);
  const worker = workerOn(t, node.url);
  const blocked = next(worker, 'blocked');
  await worker.start();
  const confirmed = Promise.all([1, 2, 3].map((payload) => worker.publish(job, payload)));
  await blocked;
  await node.ctl(...ENOUGH);
  await confirmed;
  t.is((await worker.resolve(CONNECTION).depth(job.queue.name)).ready, 3);
});

test('A worker that loses its connections during an alarm comes back, and sends what it held.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const { confirmed } = await block(worker, job);
  const held = worker.publish(job, 1);
  const back = next(worker, 'connected');
  await node.closeConnections();
  await back;
  await node.ctl(...ENOUGH);
  await Promise.all([confirmed, held]);
  t.true((await worker.resolve(CONNECTION).depth(job.queue.name)).ready >= 3);
});

test('A disk alarm is announced with its reason.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const { reason, confirmed } = await block(worker, job, ['set_disk_free_limit', '100000GB']);
  t.is(reason, 'low on disk');
  const held = worker.publish(job, 1);
  await node.ctl('set_disk_free_limit', '50MB');
  await t.notThrowsAsync(Promise.all([confirmed, held]));
});

test('stop() of a blocked worker ends by its deadline, rejects what it held and leaves no connection.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const { confirmed } = await block(worker, job);
  const refused = [
    t.throwsAsync(confirmed, { code: 'ERR_CONNECTION_LOST' }),
    t.throwsAsync(worker.publish(job, 1, { messageId: 'held' }), { code: 'ERR_CONNECTION_LOST' }),
  ];
  const from = performance.now();
  await worker.stop({ deadline: 1_500 });
  t.true(performance.now() - from < 2_000);
  await Promise.all(refused);
  await node.ctl(...ENOUGH);
  await until(async () => (await connections(node)).length === 0);
  const ids = await taken(await outsider(t, node.url), job.queue.name);
  t.false(ids.includes('held'));
});
