import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Client } from 'pg';
import { type PrivateServer, startPostgres, withPostgres } from '../src/index.js';
import { endsWithItsProcess, folderFor } from './_lifetimes.js';

async function connect(t: ExecutionContext, url: string): Promise<Client> {
  const client = new Client(url);
  client.on('error', () => {}); // the query that it concerns rejects
  t.teardown(() => client.end());
  await client.connect();
  return client;
}

const sharedMemory = () => execFileSync('ipcs', ['-m'], { encoding: 'utf8' }).split(/\s+/);

withPostgres(test)('What PostgreSQL has committed outlives kill -9 in the middle of other work, again and again.', async (t) => {
  await using server = await startPostgres();
  const client = await connect(t, server.url);
  await client.query('CREATE TABLE kept AS SELECT 42 AS answer');
  for (let round = 0; round < 5; round++) {
    const busy = await connect(t, server.url);
    const { pid } = server;
    const query = t.throwsAsync(busy.query('SELECT count(*) FROM generate_series(1, 1e9)'));
    await server.kill();
    await query;
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await server.start();
  }
  const after = await connect(t, server.url);
  t.deepEqual((await after.query('SELECT answer FROM kept')).rows, [{ answer: 42 }]);
});

withPostgres(test)('A frozen PostgreSQL answers on no connection until it is thawed.', async (t) => {
  await using server = await startPostgres();
  const client = await connect(t, server.url);
  server.freeze();
  const answers = [client.query('SELECT 1'), connect(t, server.url)];
  t.is(await Promise.race([...answers, sleep(200, 'nothing')]), 'nothing');
  server.thaw();
  await t.notThrowsAsync(Promise.all(answers));
});

withPostgres(test)('PostgreSQL checks the password that its url has.', async (t) => {
  await using server = await startPostgres();
  const url = new URL(server.url);
  url.password = 'wrong';
  await t.throwsAsync(connect(t, url.href), { code: '28P01' });
});

withPostgres(test)('A stop is clean, also of a frozen PostgreSQL, and twice is as once.', async (t) => {
  await using server = await startPostgres();
  server.freeze();
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  t.throws(() => server.pid, { code: 'ERR_SERVER_NOT_RUNNING', message: /^PostgreSQL/ });
});

withPostgres(test)('A given folder is kept, and what is in it.', async (t) => {
  const directory = await folderFor(t);
  const first: PrivateServer = await startPostgres({ directory, fsync: true });
  const client = await connect(t, first.url);
  await client.query('CREATE TABLE kept ()');
  t.deepEqual((await client.query('SHOW fsync')).rows, [{ fsync: 'on' }]);
  await client.end();
  await first[Symbol.asyncDispose]();
  await using second = await startPostgres({ directory });
  const again = await connect(t, second.url);
  await t.notThrowsAsync(again.query('SELECT FROM kept'));
});

withPostgres(test)('A killed PostgreSQL that is not started again leaves no shared memory.', async (t) => {
  const directory = await folderFor(t);
  const server = await startPostgres({ directory });
  const lines = (await readFile(join(directory, 'cluster', 'postmaster.pid'), 'utf8')).split('\n');
  const id = lines[6]?.trim().split(/\s+/)[1] ?? '';
  await server.kill();
  t.true(sharedMemory().includes(id));
  await server[Symbol.asyncDispose]();
  t.false(sharedMemory().includes(id));
});

withPostgres(test)('PostgreSQL and its folder end with a process that is killed.', async (t) => {
  await t.notThrowsAsync(endsWithItsProcess(t, 'postgres'));
});
