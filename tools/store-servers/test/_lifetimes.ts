import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts } from '@warren/rabbitmq-node';
import type { ExecutionContext } from 'ava';

/** A folder that everybody may enter, as user postgres has to. It ends with the test. */
export async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'store-servers-test-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o711);
  return folder;
}

/** Kills a process that has started a server; resolves when the server and its folder are gone, and only then. */
export async function endsWithItsProcess(t: ExecutionContext, server: 'redis' | 'postgres'): Promise<void> {
  const folder = await folderFor(t);
  const starter = fork(new URL('_starter.js', import.meta.url), [server], { env: { ...process.env, TMPDIR: folder } });
  t.teardown(() => starter.kill('SIGKILL'));
  const [port] = (await once(starter, 'message')) as [number];
  t.true(await accepts(port));
  t.is((await readdir(folder)).length, 1);
  starter.kill('SIGKILL');
  while ((await readdir(folder)).length > 0 || (await accepts(port))) await sleep(20);
}
