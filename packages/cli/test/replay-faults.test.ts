import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import type { ConfirmChannel } from 'amqplib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { breakableBroker } from '@warren/test-broker';
import { project, start } from './_cli.js';
import { bury, take } from './_dead.js';

async function open(t: ExecutionContext, url: string): Promise<ConfirmChannel> {
  const connection = await connect(url);
  connection.on('error', () => {});
  t.teardown(() => connection.close().catch(() => {}));
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => {});
  return channel;
}

test.serial('a replay whose broker is killed loses nothing, and says what happened', async (t) => {
  const broker = await breakableBroker(t);
  const [queue, dead] = ['work', 'work.dead'];
  const before = await open(t, broker.url);
  for (const name of [queue, dead]) await before.assertQueue(name, { durable: true });
  const ids = Array.from({ length: 300 }, (_, n) => `id-${n}`);
  await bury(before, dead, ...ids.map((messageId) => ({ messageId })));
  const cli = start(t, ['dlq', 'replay', dead, '--rate', '200/s', '--url', broker.url], { cwd: await project(t) });
  while ((await before.checkQueue(queue)).messageCount < 40) await sleep(5);
  await broker.kill();
  await broker.start();
  const { code, stderr } = await cli.ended;
  t.is(code, 1);
  t.regex(stderr, /\[ERR_(?:CONNECTION_LOST|CHANNEL_CLOSED)\]/);
  t.regex(stderr, /^\d+ of 300 were replayed before this; nothing is lost$/m);
  t.notRegex(stderr, /^ +at /m);
  const after = await open(t, broker.url);
  const all = [...(await take(after, queue)), ...(await take(after, dead))].map(({ id }) => id);
  t.deepEqual(new Set(all), new Set<unknown>(ids));
  t.true(all.length - ids.length <= 100, `${all.length - ids.length} are there twice`);
});
