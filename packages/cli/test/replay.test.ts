import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createWorker, defineJob, never } from '@warren/core';
import { broker } from './_broker.js';
import { json, project, run, start } from './_cli.js';
import { bury, take } from './_dead.js';

interface Result {
  readonly found: number;
  readonly replayed: number;
  readonly failed: number;
  readonly destinations: Record<string, number>;
}

test('a job that died runs again, as its first attempt and under its id', async (t) => {
  const { url, queue } = await broker(t);
  const job = defineJob<{ n: number }>('count', { queue });
  const worker = createWorker({ url, retry: never });
  t.teardown(() => worker.stop());
  let broken = true;
  const runs: object[] = [];
  worker.handle(job, ({ attempt, messageId, headers, routingKey }) => {
    runs.push({ attempt, messageId, tenant: headers['tenant'], replays: headers['x-replay-count'], routingKey });
    if (broken) throw new TypeError('broken');
  });
  await worker.start();
  await worker.publish(job, { n: 1 }, { messageId: 'one', headers: { tenant: 'acme' } });
  const cwd = await project(t);
  const replay = ['dlq', 'replay', `${queue}.dead`, '--where', 'error=TypeError', '--url', url];
  const replayed = async (times: number): Promise<void> => {
    let count = 0;
    while (count < times) count += (await json<Result>(t, replay, { cwd })).replayed;
  };
  // It dies once more, and is then mended.
  await replayed(1);
  while (runs.length < 2) await sleep(10);
  broken = false;
  await replayed(1);
  while (runs.length < 3) await sleep(10);
  const facts = { attempt: 1, messageId: 'one', tenant: 'acme', routingKey: queue };
  t.deepEqual(runs, [
    { ...facts, replays: undefined },
    { ...facts, replays: 1 },
    { ...facts, replays: 2 },
  ]);
});

test('the copy is what the producer sent, without what killed it; the rest stays where it was', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(queue, { durable: true });
  await channel.assertQueue(dead, { durable: true });
  const death = { 'x-death': [{ queue, reason: 'rejected', exchange: 'e', 'routing-keys': ['k'], count: 1 }] };
  await bury(
    channel,
    dead,
    { error: 'TypeError' },
    { error: 'TimeoutError', origin: queue, headers: { tenant: 'acme' } },
    { error: 'TypeError' },
  );
  channel.sendToQueue(dead, Buffer.from('second'), { messageId: 'm3', headers: { ...death, 'x-error-name': 'TimeoutError' } });
  await channel.waitForConfirms();
  const cwd = await project(t);
  const args = ['dlq', 'replay', dead, '--where', 'error=TimeoutError', '--url', url];
  const dry = await run(t, [...args, '--dry-run'], { cwd });
  t.regex(dry.stdout, new RegExp(`^2 of 4 would be replayed \\(2 to ${queue}\\), 0 failed`));
  t.is((await channel.checkQueue(dead)).messageCount, 4);
  t.is((await channel.checkQueue(queue)).messageCount, 0);
  t.like(await json<Result>(t, args, { cwd }), { found: 4, replayed: 2, failed: 0, destinations: { [queue]: 2 } });
  const [first, second] = await take(channel, queue);
  const { 'x-replayed-at': at, ...headers } = first?.headers ?? {};
  t.deepEqual(headers, { tenant: 'acme', 'x-replay-count': 1 });
  t.true(Date.parse(String(at)) <= Date.now());
  t.like(second, { id: 'm3', body: 'second', headers: { 'x-original-exchange': 'e', 'x-original-routing-key': 'k' } });
  t.deepEqual(
    (await take(channel, dead)).map(({ id }) => id),
    ['m0', 'm2'],
  );
});

test('attempts go on counting where that is asked for, a limit is kept, and --to sends elsewhere', async (t) => {
  const { url, channel, queue } = await broker(t);
  const [dead, other] = [`${queue}.dead`, `${queue}.other`];
  await channel.assertQueue(dead, { durable: true });
  await channel.assertQueue(other, { durable: true });
  t.teardown(() => channel.deleteQueue(other));
  await bury(channel, dead, {}, {}, {});
  const cwd = await project(t);
  const args = ['dlq', 'replay', dead, '--to', other, '--keep-attempts', '--limit', '2', '--url', url];
  t.like(await json<Result>(t, args, { cwd }), { replayed: 2, destinations: { [other]: 2 } });
  t.deepEqual(
    (await take(channel, other)).map(({ id, headers }) => [id, headers['x-attempt']]),
    [
      ['m0', 3],
      ['m1', 3],
    ],
  );
  t.deepEqual(
    (await take(channel, dead)).map(({ id }) => id),
    ['m2'],
  );
  t.is((await run(t, ['dlq', 'replay', dead, '--to', dead, '--url', url], { cwd })).code, 2);
  const nowhere = await run(t, ['dlq', 'replay', dead, '--to', `${queue}.typo`, '--dry-run', '--url', url], { cwd });
  t.is(nowhere.code, 1);
  t.regex(nowhere.stderr, /\[ERR_TOPOLOGY_MISSING\]/);
});

test('what no queue takes, or came from nowhere, stays and is told; the exit code is 1', async (t) => {
  const { url, channel, queue } = await broker(t);
  const strange = queue;
  await channel.assertQueue(strange, { durable: true });
  await bury(channel, strange, { origin: `${queue}.gone` }, {}, { origin: strange });
  const { code, stderr, stdout } = await run(t, ['dlq', 'replay', strange, '--url', url, '--json'], { cwd: await project(t) });
  t.is(code, 1);
  t.like(JSON.parse(stdout) as object, { replayed: 0, failed: 3 });
  t.regex(stderr, /m0: .*\[ERR_UNROUTABLE\]/);
  t.regex(stderr, /m1: .*\[ERR_ORIGIN_UNKNOWN\]/);
  t.regex(stderr, /m2: .*\[ERR_ORIGIN_UNKNOWN\]/);
  t.is((await channel.checkQueue(strange)).messageCount, 3);
});

test('what dies again meanwhile is not replayed twice', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  // Whatever comes to the queue is dead at once.
  const back = { 'x-message-ttl': 0, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
  await channel.assertQueue(queue, { durable: true, arguments: back });
  await channel.assertQueue(dead, { durable: true });
  await bury(channel, dead, ...Array.from({ length: 50 }, () => ({})));
  const { replayed } = await json<Result>(t, ['dlq', 'replay', dead, '--url', url], { cwd: await project(t) });
  t.is(replayed, 50);
  let counts: unknown[] = [];
  while (counts.length < 50) counts = [...counts, ...(await take(channel, dead)).map(({ headers }) => headers['x-replay-count'])];
  t.deepEqual(new Set(counts), new Set([1]));
});

for (const [signal, at] of [
  ['SIGKILL', 40],
  ['SIGKILL', 120],
  ['SIGINT', 40],
] as const) {
  test(`a replay that ends by ${signal} after ${at} copies loses nothing`, async (t) => {
    const { url, channel, queue } = await broker(t);
    const dead = `${queue}.dead`;
    await channel.assertQueue(queue, { durable: true });
    await channel.assertQueue(dead, { durable: true });
    const ids = Array.from({ length: 900 }, (_, n) => `id-${n}`);
    await bury(channel, dead, ...ids.map((messageId, n) => ({ messageId, error: n % 3 === 0 ? 'TypeError' : 'Error' })));
    const cli = start(t, ['dlq', 'replay', dead, '--where', 'error=Error', '--rate', '200/s', '--url', url, '--json'], {
      cwd: await project(t),
    });
    while ((await channel.checkQueue(queue)).messageCount < at) await sleep(5);
    cli.kill(signal);
    const { code, stdout } = await cli.ended;
    const copies = await take(channel, queue);
    // The broker takes back what the process held when it has seen it go.
    let left = await take(channel, dead);
    while (new Set([...copies, ...left].map(({ id }) => id)).size < ids.length) {
      await sleep(20);
      left = [...left, ...(await take(channel, dead))];
    }
    const twice = copies.length + left.length - ids.length;
    t.true(copies.length < 600, 'it was ended in the middle');
    t.true(twice <= 100, `${twice} are there twice`);
    if (signal === 'SIGKILL') return;
    t.is(code, 1);
    t.is(twice, 0);
    t.like(JSON.parse(stdout) as object, { replayed: copies.length, failed: 0, interrupted: true });
  });
}

test('a replay keeps the order of what it leaves, in a queue of any type', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(queue, { durable: true });
  await channel.assertQueue(dead, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await bury(channel, dead, ...Array.from({ length: 30 }, (_, n) => ({ error: n % 2 === 0 ? 'Error' : 'TypeError' })));
  t.like(await json<Result>(t, ['dlq', 'replay', dead, '--where', 'error=TypeError', '--url', url], { cwd: await project(t) }), {
    replayed: 15,
  });
  const left = (await take(channel, dead)).map(({ id }) => id);
  t.deepEqual(
    left,
    Array.from({ length: 15 }, (_, n) => `m${2 * n}`),
  );
});
