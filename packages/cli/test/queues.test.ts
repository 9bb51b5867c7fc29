import test from 'ava';
import { broker } from './_broker.js';
import { project, run } from './_cli.js';
import { feed } from './_feed.js';
import { sleeper } from './_sleeper.js';

interface Listed {
  readonly source: string;
  readonly queues: ReadonlyArray<{ name: string; type?: string; ready?: number; unacked?: number; consumers?: number }>;
}

test('without the management API the queues of the project are listed, and where the numbers come from', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  await channel.assertQueue(`${queue}.dead`, { durable: true });
  await feed(channel, `${queue}.dead`, 'a', 'b');
  const { code, stdout } = await run(t, ['queues', '--url', url, '--json'], { cwd });
  t.is(code, 0);
  const { source, queues } = JSON.parse(stdout) as Listed;
  t.regex(source, /passive declaration/);
  t.like(
    queues.find(({ name }) => name === `${queue}.dead`),
    { type: 'quorum', ready: 2, consumers: 0 },
  );
  t.is(queues.find(({ name }) => name === queue)?.ready, undefined);
  const table = await run(t, ['queues', 'list', '--url', url], { cwd });
  t.regex(table.stdout, /^QUEUE +TYPE +READY +UNACKED +CONSUMERS\n/);
  t.regex(table.stdout, new RegExp(`${queue}.dead +quorum +2 +- +0\n`));
  t.regex(table.stderr, /passive declaration/);
});

test('a management API that was asked for and is not there is an error without the password', async (t) => {
  const { url } = await broker(t);
  const { code, stderr } = await run(t, ['queues', '--url', url, '--management-url', 'http://u:hunter2@127.0.0.1:1'], {
    cwd: await project(t),
  });
  t.is(code, 1);
  t.regex(stderr, /ERR_MANAGEMENT_API/);
  t.notRegex(stderr, /hunter2/);
});

test('peek shows the first messages, bounded, and leaves the queue as it was', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  await feed(channel, queue, 'first', 'x'.repeat(5_000), 'third');
  const { code, stdout } = await run(t, ['queues', 'peek', queue, '--limit', '2', '--url', url, '--json'], {
    cwd: await project(t),
  });
  t.is(code, 0);
  const shown = JSON.parse(stdout) as Array<{ body: string; bytes: number }>;
  t.deepEqual(
    shown.map(({ bytes }) => bytes),
    [5, 5_000],
  );
  t.true((shown[1]?.body.length ?? 0) < 2_100);
  t.is((await channel.checkQueue(queue)).messageCount, 3);
  const first = await channel.get(queue, { noAck: true });
  t.is(first && first.content.toString(), 'first');
});

test('what a message holds cannot steer the terminal', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  await feed(channel, queue, '\u001B]0;owned\u0007\u001B[2J');
  const { stdout } = await run(t, ['queues', 'peek', queue, '--url', url], { cwd: await project(t) });
  t.false(stdout.includes('\u001B'));
});

test('purge names what is lost and needs --yes without a terminal', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  await feed(channel, queue, 'a', 'b', 'c');
  const cwd = await project(t);
  const asked = await run(t, ['queues', 'purge', queue, '--url', url], { cwd });
  t.is(asked.code, 2);
  t.regex(asked.stderr, /loses its 3 ready messages\. There is no undo.*ERR_CONFIRMATION_NEEDED/);
  t.is((await channel.checkQueue(queue)).messageCount, 3);
  const done = await run(t, ['queues', 'purge', queue, '--yes', '--url', url], { cwd });
  t.is(done.code, 0);
  t.is(done.stdout, '3 messages removed\n');
  t.is((await channel.checkQueue(queue)).messageCount, 0);
});

test('a queue that is not there is exit code 1', async (t) => {
  const { url, queue } = await broker(t);
  for (const command of ['inspect', 'peek', 'purge']) {
    const { code, stderr } = await run(t, ['queues', command, queue, '--url', url], { cwd: await project(t) });
    t.is(code, 1);
    t.regex(stderr, /ERR_TOPOLOGY_MISSING/);
  }
});

test('a queue of the longest name is looked at; what can be no name is told as such', async (t) => {
  const { url, channel, queue } = await broker(t);
  const longest = `${queue}${'ü'.repeat(107)}x`;
  t.is(Buffer.byteLength(longest), 255);
  await channel.assertQueue(longest, { durable: true });
  t.teardown(() => channel.deleteQueue(longest));
  const cwd = await project(t);
  for (const command of [
    ['queues', 'inspect'],
    ['dlq', 'show'],
  ]) {
    const found = await run(t, [...command, longest, '--url', url], { cwd });
    t.is(found.code, 0, found.stderr);
    for (const name of [`${longest}x`, '']) {
      const { code, stderr } = await run(t, [...command, name, '--url', url], { cwd });
      t.is(code, 2);
      t.regex(stderr, /queue name: expected text of 1 to 255 bytes.*\[ERR_INVALID_OPTION\]/);
    }
  }
});
