// One message's trouble: it cannot be encoded, routed, stored or is not allowed. Only its own publish fails.
import anyTest from 'ava';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import type { OutgoingMessage, Worker } from '../../src/index.js';
import { connections, jobOn, outsider, ownNode, record, taken, Tally, until, workerOn } from '../_faults.js';

const test = withOwnRabbit(anyTest.serial);

/** `confirmed`, or the error's code. */
type Fate = string;

function fate(publish: Promise<void>): Promise<Fate> {
  return publish.then(
    () => 'confirmed',
    (error: { code: string }) => error.code,
  );
}

/** The fates of `good` messages for `queue` with a bad one in their middle. */
async function among(
  worker: Worker,
  queue: string,
  { bad, good = 500 }: { bad: OutgoingMessage; good?: number },
): Promise<{ bad: Fate; good: Set<Fate> }> {
  const send = (index: number): Promise<Fate> =>
    fate(worker.send({ exchange: '', routingKey: queue, content: String(index), properties: { messageId: `good-${index}` } }));
  const before = Array.from({ length: good / 2 }, (_, index) => send(index));
  const middle = fate(worker.send(bad));
  const after = Array.from({ length: good / 2 }, (_, index) => send(good / 2 + index));
  return { bad: await middle, good: new Set(await Promise.all([...before, ...after])) };
}

const KIB = 1_024;
const UNSENDABLE: ReadonlyArray<readonly [string, Partial<OutgoingMessage>]> = [
  ['a routing key above 255 bytes', { routingKey: 'k'.repeat(256) }],
  ['a function in its headers', { properties: { headers: { nested: { wrong: () => {} } } } }],
  ['70 KiB of headers', { properties: { headers: { large: 'x'.repeat(70 * KIB) } } }],
];
for (const [what, message] of UNSENDABLE) {
  test(`A message with ${what} is refused before it is sent, and disturbs nothing (F9).`, async (t) => {
    const node = await ownNode();
    const job = jobOn();
    const worker = workerOn(t, node.url);
    await worker.start();
    await worker.publish(job, 0);
    const seen = record(worker);
    const before = await connections(node);
    const bad = { exchange: '', routingKey: job.queue.name, content: 'x', ...message };
    t.deepEqual(await among(worker, job.queue.name, { bad }), { bad: 'ERR_MESSAGE_INVALID', good: new Set(['confirmed']) });
    t.deepEqual(seen.all, []);
    t.deepEqual(await connections(node), before);
    t.is((await taken(await outsider(t, node.url), job.queue.name)).length, 501, 'nothing was sent twice');
  });
}

const REFUSED: ReadonlyArray<readonly [string, string, Partial<OutgoingMessage>]> = [
  ['an exchange that does not exist', 'ERR_TOPOLOGY_MISSING', { exchange: 'no such exchange' }],
  ['an expiration that is no number', 'ERR_CHANNEL_CLOSED', { properties: { expiration: 'tomorrow' } }],
  ["somebody else's userId", 'ERR_CHANNEL_CLOSED', { properties: { userId: 'somebody-else' } }],
  ['an internal exchange', 'ERR_ACCESS_REFUSED', { exchange: 'faults.internal' }],
];
for (const [what, code, message] of REFUSED) {
  test(`Of 501 messages in flight the one with ${what} fails, although the broker closes the channel for it.`, async (t) => {
    const node = await ownNode();
    const job = jobOn();
    const worker = workerOn(t, node.url);
    await worker.start();
    await worker.publish(job, 0);
    const outside = await outsider(t, node.url);
    await (await outside.createChannel()).assertExchange('faults.internal', 'direct', { internal: true });
    const before = await connections(node);
    const bad = { exchange: '', routingKey: job.queue.name, content: 'x', ...message };
    t.deepEqual(await among(worker, job.queue.name, { bad }), { bad: code, good: new Set(['confirmed']) });
    t.deepEqual(await connections(node), before, 'the connections are the same');
    const ids = new Set(await taken(outside, job.queue.name));
    t.is(ids.size, 501, 'every good one is in the queue');
  });
}

test('Several bad messages among good ones fail each for itself.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const sends = Array.from({ length: 100 }, (_, index) => {
    const exchange = index % 10 === 5 ? 'no such exchange' : '';
    return fate(worker.send({ exchange, routingKey: job.queue.name, content: String(index) }));
  });
  const fates = await Promise.all(sends);
  for (const [index, one] of fates.entries()) t.is(one, index % 10 === 5 ? 'ERR_TOPOLOGY_MISSING' : 'confirmed');
});

test('A message that no queue takes is an error, unless it is not mandatory (F10).', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const bad = { exchange: '', routingKey: 'no such queue', content: 'x' };
  t.deepEqual(await among(worker, job.queue.name, { bad }), { bad: 'ERR_UNROUTABLE', good: new Set(['confirmed']) });
  await t.notThrowsAsync(worker.send({ ...bad, options: { mandatory: false } }));
});

test('Of messages with the same id the one that no queue takes is the one that fails.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const worker = workerOn(t, node.url);
  await worker.start();
  await worker.publish(job, 0);
  const send = (routingKey: string): Promise<Fate> =>
    fate(worker.send({ exchange: '', routingKey, content: 'x', properties: { messageId: 'same' } }));
  t.deepEqual(await Promise.all([send(job.queue.name), send('no such queue'), send(job.queue.name)]), [
    'confirmed',
    'ERR_UNROUTABLE',
    'confirmed',
  ]);
});

test('A queue that is full refuses what is too much, and each publish learns its own fate.', async (t) => {
  const node = await ownNode();
  const job = jobOn({ arguments: { 'x-max-length': 3, 'x-overflow': 'reject-publish' } });
  const worker = workerOn(t, node.url);
  await worker.start();
  const fates: Fate[] = [];
  for (let payload = 1; payload <= 6; payload++) fates.push(await fate(worker.publish(job, payload)));
  t.is(fates.filter((one) => one === 'confirmed').length, (await taken(await outsider(t, node.url), job.queue.name)).length);
  t.is(fates.at(-1), 'ERR_PUBLISH_REFUSED');
  t.deepEqual(new Set(fates), new Set(['confirmed', 'ERR_PUBLISH_REFUSED']));
  t.is(await fate(worker.publish(job, 7)), 'confirmed', 'there is room again');
});

test('A user who may not write to an exchange is told so; what he may do goes on.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  await node.ctl('add_user', 'writer', 'secret');
  t.teardown(() => node.ctl('delete_user', 'writer'));
  await node.ctl('set_permissions', 'writer', 'faults\\..*', '(faults\\..*|amq\\.default)', '.*');
  const worker = workerOn(t, node.url.replace('guest:guest', 'writer:secret'));
  const tally = new Tally();
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const bad = { exchange: 'amq.topic', routingKey: 'any', content: 'x' };
  t.deepEqual(await among(worker, job.queue.name, { bad, good: 20 }), {
    bad: 'ERR_ACCESS_REFUSED',
    good: new Set(['confirmed']),
  });
  await worker.publish(job, 77);
  await tally.reaches(77);
});

test('A body that the broker would refuse too late is refused before.', async (t) => {
  const node = await ownNode();
  const worker = workerOn(t, node.url);
  await worker.start();
  const content = Buffer.alloc(128 * KIB * KIB + 1);
  await t.throwsAsync(worker.send({ exchange: '', routingKey: 'any', content }), { code: 'ERR_MESSAGE_INVALID' });
});

test('A job whose queue is refused (406) does not keep other jobs from being published.', async (t) => {
  const node = await ownNode();
  const [refused, good] = [jobOn(), jobOn()];
  const outside = await outsider(t, node.url);
  await (await outside.createChannel()).assertQueue(refused.queue.name, { durable: false });
  const worker = workerOn(t, node.url);
  await worker.start();
  await t.throwsAsync(worker.publish(refused, 1), { code: 'ERR_TOPOLOGY_MISMATCH' });
  await t.notThrowsAsync(worker.publish(good, 1));
  await until(async () => (await taken(outside, good.queue.name)).length === 1);
});
