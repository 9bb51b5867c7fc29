import { execFile, execFileSync, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { lmdbStore } from '../src/lmdb.js';
import type { Store } from '../src/index.js';
import { conformance } from './_conformance.js';
import { listed } from './_keys.js';

const folders = new WeakMap<ExecutionContext, Promise<string>>();

/** A folder of the test. */
function folderOf(t: ExecutionContext): Promise<string> {
  const made = folders.get(t);
  if (made) return made;
  const folder = mkdtemp(join(tmpdir(), 'warren-store-'));
  t.teardown(async () => rm(await folder, { recursive: true }));
  folders.set(t, folder);
  return folder;
}

async function open(t: ExecutionContext, folder?: string): Promise<Store> {
  const store = lmdbStore(`lmdb:${folder ?? (await folderOf(t))}`, { timeout: 30_000 });
  t.teardown(() => store.close());
  return store;
}

conformance('LMDB', open);

/** A process that counts in the folder; what it was told is in its journal. */
async function counting(
  t: ExecutionContext,
  name: string,
  rounds: number,
): Promise<{ child: ChildProcess; journal: string; exited: Promise<unknown[]> }> {
  const folder = await folderOf(t);
  const journal = join(folder, `${name}.journal`);
  await writeFile(journal, '');
  const child = fork(new URL('_counting-process.js', import.meta.url), [`lmdb:${folder}`, journal, `${rounds}`], {
    execArgv: [],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return { child, journal, exited: once(child, 'exit') };
}

/** What a process was told, whole lines only: value and version. */
function told(journal: string): Array<readonly [number, number]> {
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => line.split(' ').map(Number) as [number, number]);
}

test('Four processes that count at once lose no update.', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const processes = await Promise.all(names.map((name) => counting(t, name, 100)));
  for (const { exited } of processes) t.deepEqual(await exited, [0, null]);
  const all = processes.flatMap(({ journal }) => told(journal)).toSorted(([, one], [, other]) => one - other);
  t.deepEqual(
    all.map(([value]) => value),
    Array.from({ length: 400 }, (_, index) => index + 1),
  );
  const store = await open(t);
  t.like(await store.get('count'), { value: '400', version: all.at(-1)?.[1] });
});

test('What a process was told is there after kill -9, and the others go on.', async (t) => {
  const processes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => counting(t, name, 1_000_000)));
  const store = await open(t);
  for (const { child, journal, exited } of processes) {
    while (told(journal).length < 20) await delay(5);
    child.kill('SIGKILL');
    await exited;
    const highest = Math.max(...processes.flatMap(({ journal }) => told(journal)).map(([value]) => value));
    const found = await store.get('count');
    t.true(Number(found?.value) >= highest);
    t.truthy(await store.putIfAbsent(`after ${journal}`, 'x'), 'nobody holds the lock');
  }
  const all = processes.flatMap(({ journal }) => told(journal)).map(([value]) => value);
  t.is(new Set(all).size, all.length, 'nobody was told the same');
  // Each may have been killed between a change and its journal.
  const count = Number((await store.get('count'))?.value);
  t.true(count >= all.length && count <= all.length + 4, `${count} of ${all.length}`);
});

test('What another process wrote a moment ago is seen, also by a turn of the event loop that has read before.', async (t) => {
  const store = await open(t);
  t.is(await store.get('count'), undefined);
  const folder = await folderOf(t);
  const program = fileURLToPath(new URL('_counting-process.js', import.meta.url));
  const before = store.get('count');
  execFileSync(process.execPath, [program, `lmdb:${folder}`, join(folder, 'journal'), '1']);
  const after = store.get('count');
  t.deepEqual([await before, (await after)?.value], [undefined, '1']);
});

test('Two stores of a folder, by whichever path, are one, and the end of one leaves the other.', async (t) => {
  const folder = await folderOf(t);
  await mkdir(join(folder, 'real'));
  await symlink(join(folder, 'real'), join(folder, 'link'));
  const [one, other] = [await open(t, join(folder, 'real')), await open(t, join(folder, 'link'))];
  await Promise.all([one.get('a'), other.get('a')]);
  const version = (await one.putIfAbsent('a', 'x')) ?? NaN;
  t.like(await other.get('a'), { version });
  await one.close();
  t.truthy(await other.replaceIfVersion('a', version, { value: 'y' }));
  await other.close();
  const again = await open(t, join(folder, 'real'));
  t.like(await again.get('a'), { value: 'y' });
});

test('A folder that is closed and opened at once is there.', async (t) => {
  const folder = await folderOf(t);
  for (let round = 0; round < 20; round++) {
    const store = await open(t, folder);
    await store.putIfAbsent(`${round}`, 'x');
    void store.close();
  }
  t.is((await listed(await open(t, folder), '')).length, 20);
});

test('Expired records leave the disk while others are written.', async (t) => {
  const store = await open(t);
  const folder = await folderOf(t);
  const value = 'x'.repeat(64 * 1024);
  const round = async (index: number): Promise<number> => {
    await Promise.all(Array.from({ length: 20 }, (_, record) => store.putIfAbsent(`${index}/${record}`, value, { ttl: 1 })));
    await delay(5);
    return (await stat(join(folder, 'data.mdb'))).size;
  };
  const sizes = [];
  for (let index = 0; index < 60; index++) sizes.push(await round(index));
  t.true((sizes.at(-1) ?? Infinity) <= 3 * (sizes[4] ?? 0), sizes.join());
});

test('A folder that cannot be made is ERR_STORE_UNAVAILABLE.', async (t) => {
  const file = join(await folderOf(t), 'file');
  await writeFile(file, '');
  const store = await open(t, join(file, 'below'));
  await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_UNAVAILABLE' });
});

for (const content of ['no database', 'x'.repeat(100_000)]) {
  test(`A file that is no database, of ${content.length} bytes, is ERR_STORE_UNAVAILABLE, and stays as it is.`, async (t) => {
    const file = join(await folderOf(t), 'data.mdb');
    await writeFile(file, content);
    const store = await open(t);
    await t.throwsAsync(store.get('a'), { code: 'ERR_STORE_UNAVAILABLE', message: /data\.mdb is damaged/ });
    t.is(readFileSync(file, 'utf8'), content);
  });
}

test('A change that the disk has no room for is ERR_STORE_UNAVAILABLE, and no more than that.', async (t) => {
  const [folder, program] = [await folderOf(t), fileURLToPath(new URL('_filling-process.js', import.meta.url))];
  // No file may be larger than 10 or 20 MB, depending on the shell: as on a full disk, a write past that fails.
  const limited = ['-c', 'ulimit -f 20000 && exec "$@"', 'sh', process.execPath, program, `lmdb:${folder}`];
  const { stdout } = await promisify(execFile)('sh', limited, { timeout: 60_000 });
  const { reasons, kept } = JSON.parse(stdout) as { reasons: string[]; kept: boolean };
  t.true(reasons.length > 0);
  for (const reason of reasons) t.regex(reason, /^ERR_STORE_UNAVAILABLE: .*disk is full/);
  t.true(kept);
});

test('A process that has nothing else to do ends, with its store open.', async (t) => {
  const { exited } = await counting(t, 'brief', 1);
  t.deepEqual(await exited, [0, null]);
});
