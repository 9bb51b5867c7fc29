import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createClient } from 'redis';
import { startRedis, withRedis } from '../src/index.js';
import { endsWithItsProcess, folderFor } from './_lifetimes.js';

const connect = (url: string) =>
  createClient({ url, socket: { reconnectStrategy: false } })
    .on('error', () => {}) // the call that it concerns rejects
    .connect();

withRedis(test)('What Redis has acknowledged outlives kill -9.', async (t) => {
  await using redis = await startRedis();
  const before = await connect(redis.url);
  await before.set('key', 'kept');
  const { pid } = redis;
  await redis.kill();
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  t.throws(() => redis.freeze(), { code: 'ERR_SERVER_NOT_RUNNING', message: /^Redis/ });
  await t.throwsAsync(connect(redis.url), { code: 'ECONNREFUSED' });
  await redis.start();
  const after = await connect(redis.url);
  t.is(await after.get('key'), 'kept');
  after.destroy();
});

withRedis(test)('A frozen Redis keeps its connections and answers only when it is thawed.', async (t) => {
  await using redis = await startRedis();
  const client = await connect(redis.url);
  redis.freeze();
  const answer = client.ping();
  t.is(await Promise.race([answer, sleep(200, 'nothing')]), 'nothing');
  redis.thaw();
  t.is(await answer, 'PONG');
  client.destroy();
});

withRedis(test)('A node of a cluster holds all slots, also after a restart, and refuses commands across slots.', async (t) => {
  await using redis = await startRedis({ cluster: true });
  await redis.stop();
  await redis.start();
  const client = await connect(redis.url);
  await client.set('a', '1');
  await t.throwsAsync(client.mGet(['a', 'b']), { message: /CROSSSLOT/ });
  client.destroy();
});

withRedis(test)('A given folder is kept, and what is in it.', async (t) => {
  const directory = join(await folderFor(t), 'made');
  const first = await startRedis({ directory });
  const client = await connect(first.url);
  await client.set('key', 'kept');
  client.destroy();
  await first[Symbol.asyncDispose]();
  t.true(existsSync(directory));
  await using second = await startRedis({ directory });
  const again = await connect(second.url);
  t.is(await again.get('key'), 'kept');
  again.destroy();
});

withRedis(test)('A Redis that does not start says why.', async (t) => {
  const directory = await folderFor(t);
  await writeFile(join(directory, 'appendonlydir'), 'a file where a folder should be');
  await t.throwsAsync(startRedis({ directory }), { code: 'ERR_SERVER_START', message: /append-only dir/ });
});

withRedis(test)('Redis and its folder end with a process that is killed.', async (t) => {
  await t.notThrowsAsync(endsWithItsProcess(t, 'redis'));
});
