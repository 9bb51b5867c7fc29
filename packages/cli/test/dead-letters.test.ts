import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'amqplib';
import test from 'ava';
import { freshBroker } from '@warren/test-broker';
import { broker } from './_broker.js';
import { json, lines, project, run } from './_cli.js';
import { bury, take } from './_dead.js';
import { feed } from './_feed.js';
import { sleeper } from './_sleeper.js';

const hours = (count: number): Date => new Date(Date.now() - count * 3_600_000);

interface Listed {
  readonly source: string;
  readonly queues: ReadonlyArray<{ queue: string; count?: number; lookedAt?: number; oldest?: string; reasons: object[] }>;
}

test("the project's dead-letter queues are listed with their age and what they died of, and stay as they were", async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  const dead = `${queue}.dead`;
  const absent = await json<Listed>(t, ['dlq', 'list', '--url', url], { cwd });
  t.deepEqual(absent.queues, [{ queue: dead, reasons: [] }]);
  await channel.assertQueue(dead, { durable: true });
  const oldest = hours(5);
  await bury(channel, dead, { error: 'TypeError' }, { error: 'TimeoutError', diedAt: oldest }, { error: 'TimeoutError' });
  const { queues } = await json<Listed>(t, ['dlq', 'list', '--url', url], { cwd });
  const reasons = [
    { reason: 'TimeoutError', count: 2 },
    { reason: 'TypeError', count: 1 },
  ];
  t.deepEqual(queues, [{ queue: dead, count: 3, lookedAt: 3, oldest: oldest.toISOString(), reasons }]);
  const table = await run(t, ['dlq', '--url', url], { cwd });
  t.regex(table.stdout, /^QUEUE +COUNT +OLDEST +REASONS\n.* 3 +5 h ago +TimeoutError ×2, TypeError ×1\n$/);
  t.deepEqual(
    (await take(channel, dead)).map(({ id }) => id),
    ['m0', 'm1', 'm2'],
  );
});

test('show tells what is known of each, bounded, and gives all back in their order', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(dead, { durable: true });
  await bury(
    channel,
    dead,
    { type: 'mail', error: 'TimeoutError', diedAt: hours(2), body: 'x'.repeat(20_000), origin: queue },
    { type: 'mail', error: '\u001B[31mTypeError' },
    { type: 'report', error: 'TimeoutError' },
  );
  const cwd = await project(t);
  const shown = await json<Array<{ body: string }>>(t, ['dlq', 'show', dead, '--where', 'job=mail', '--url', url], { cwd });
  t.is(shown.length, 2);
  t.like(shown[0], {
    id: 'm0',
    job: 'mail',
    queue,
    reason: 'TimeoutError',
    attempts: 3,
    message: 'it failed',
    bytes: 20_000,
    replays: 0,
  });
  t.true((shown[0]?.body.length ?? 0) < 2_100);
  const { stdout, stderr } = await run(t, ['dlq', 'show', dead, '--limit', '2', '--url', url], { cwd });
  t.regex(stdout, /^ID +JOB +DIED +ATTEMPTS +REASON +PAYLOAD\nm0 +mail +2 h ago +3 +TimeoutError +x{60}…\nm1 /);
  t.false(stdout.includes('\u001B'));
  t.regex(stderr, /2 shown, 3 in /);
  t.deepEqual(
    (await take(channel, dead)).map(({ id }) => id),
    ['m0', 'm1', 'm2'],
  );
});

for (const [what, args, warned] of [
  ['a queue with a delivery limit', { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 }, true],
  ["a queue as Warren's dead-letter queues are", { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 }, false],
  ['a classic queue', {}, false],
] as const) {
  test(`a look into ${what} is ${warned ? '' : 'not '}warned of`, async (t) => {
    const { url, channel, queue } = await broker(t);
    const dead = `${queue}.dead`;
    await channel.assertQueue(dead, { durable: true, arguments: args });
    await bury(channel, dead, {});
    const { code, stderr } = await run(t, ['dlq', 'show', dead, '--url', url], { cwd: await project(t) });
    t.is(code, 0);
    t.is(/warning: .* each look counts as a delivery/.test(stderr), warned, stderr);
  });
}

test('with the management API every queue that ends in .dead is listed, and none is looked into at the cost of its messages', async (t) => {
  const node = await freshBroker(t);
  const connection = await connect(node.url);
  t.teardown(() => connection.close());
  const channel = await connection.createConfirmChannel();
  const limited = { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 };
  await channel.assertQueue('foreign.dead', { arguments: limited });
  await channel.assertQueue('old.dead');
  await channel.assertQueue('work');
  for (const queue of ['foreign.dead', 'old.dead']) await bury(channel, queue, {});
  const flags = ['--url', node.url, '--management-url', node.managementUrl];
  const { queues, source } = await json<Listed>(t, ['dlq', 'list', ...flags], { cwd: await project(t) });
  t.deepEqual(
    queues.map(({ queue, count, lookedAt }) => [queue, count, lookedAt]),
    [
      ['foreign.dead', 1, undefined],
      ['old.dead', 1, 1],
    ],
  );
  t.regex(source, /management API/);
  t.regex((await run(t, ['dlq', 'show', 'gone.dead', ...flags])).stderr, /ERR_TOPOLOGY_MISSING/);
  t.is(((await channel.get('foreign.dead', { noAck: true })) || undefined)?.fields.redelivered, false);
});

test('purge removes those that are selected, and needs --yes without a terminal', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(dead, { durable: true });
  await bury(channel, dead, { diedAt: hours(200) }, { error: 'TypeError' }, { diedAt: hours(300) }, {});
  const cwd = await project(t);
  const old = ['dlq', 'purge', dead, '--older-than', '7d', '--url', url];
  const asked = await run(t, old, { cwd });
  t.is(asked.code, 2);
  t.regex(asked.stderr, /loses those of its 4 messages that fit: older than 7d\. There is no undo.*ERR_CONFIRMATION_NEEDED/);
  t.is((await run(t, [...old, '--yes'], { cwd })).stdout, '2 of 4 removed\n');
  t.is((await channel.checkQueue(dead)).messageCount, 2);
  t.like(await json(t, ['dlq', 'purge', dead, '--yes', '--url', url], { cwd }), { found: 2, removed: 2 });
  t.is((await channel.checkQueue(dead)).messageCount, 0);
});

test('export writes every byte of what is selected, as lines of JSON, and all stay', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(dead, { durable: true });
  await bury(
    channel,
    dead,
    { body: '\uFEFF{"n":1}\n', type: 'mail', headers: { bytes: Buffer.from([1, 255]) } },
    { error: 'TypeError' },
  );
  channel.sendToQueue(dead, Buffer.from([0, 255, 10]), { messageId: 'bytes' });
  await channel.waitForConfirms();
  const cwd = await project(t);
  const args = ['dlq', 'export', dead, '--url', url];
  const { code, stderr } = await run(t, [...args, '--out', 'dead.ndjson'], { cwd });
  t.is(code, 0, stderr);
  t.regex(stderr, /3 of 3 exported; they stay/);
  const exported = lines(await readFile(join(cwd, 'dead.ndjson'), 'utf8'));
  t.like(exported[0], {
    body: '\uFEFF{"n":1}\n',
    properties: { messageId: 'm0', type: 'mail' },
    headers: { bytes: { base64: 'Af8=' }, 'x-error-name': 'Error' },
  });
  t.like(exported[2], { base64: 'AP8K', properties: { messageId: 'bytes' } });
  const again = await run(t, [...args, '--out', 'dead.ndjson'], { cwd });
  t.is(again.code, 2);
  t.regex(again.stderr, /ERR_FILE_EXISTS/);
  const toStdout = await run(t, [...args, '--where', 'error=TypeError'], { cwd });
  t.like(lines(toStdout.stdout), [{ properties: { messageId: 'm1' } }]);
  const nowhere = await run(t, [...args, '--out', 'no/such/folder.ndjson'], { cwd });
  t.is(nowhere.code, 2);
  t.is((await channel.checkQueue(dead)).messageCount, 3);
});

test('a queue in which jobs wait is not taken for one of dead letters', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  await feed(channel, queue, 'work');
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  for (const command of [['show'], ['replay'], ['purge', '--yes'], ['export']]) {
    const { code, stderr } = await run(t, ['dlq', ...command, queue, '--url', url], { cwd });
    t.is(code, 2);
    t.true(stderr.includes(`Its dead letters are in "${queue}.dead". [ERR_NOT_DEAD_LETTERS]`), stderr);
  }
  t.is((await channel.checkQueue(queue)).messageCount, 1);
  // Also where nobody knows the project, by the queue beside it.
  await channel.assertQueue(`${queue}.dead`, { durable: true });
  const elsewhere = await run(t, ['dlq', 'purge', '--yes', queue, '--url', url], { cwd: await project(t) });
  t.regex(elsewhere.stderr, /ERR_NOT_DEAD_LETTERS/);
  t.is((await channel.checkQueue(queue)).messageCount, 1);
});

test('a queue that is not there is exit code 1, and a broker that is not there 3', async (t) => {
  const { url, queue } = await broker(t);
  const cwd = await project(t);
  for (const command of ['show', 'replay', 'purge', 'export']) {
    const { code, stderr } = await run(t, ['dlq', command, `${queue}.dead`, '--url', url], { cwd });
    t.is(code, 1);
    t.regex(stderr, /ERR_TOPOLOGY_MISSING/);
  }
  t.is((await run(t, ['dlq', 'list', '--url', 'amqp://127.0.0.1:1'], { cwd })).code, 3);
});
