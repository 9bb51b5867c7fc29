import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { lmdbStore } from '../src/lmdb.js';
import { conformance } from './_conformance.js';

const folders = new WeakMap<ExecutionContext, Promise<string>>();

function folderOf(t: ExecutionContext): Promise<string> {
  const made = folders.get(t);
  if (made) return made;
  const folder = mkdtemp(join(tmpdir(), 'warren-store-'));
  t.teardown(async () => rm(await folder, { recursive: true }));
  folders.set(t, folder);
  return folder;
}

conformance('LMDB', async (t) => {
  const store = lmdbStore(`lmdb:${await folderOf(t)}`, { timeout: 10_000 });
  t.teardown(() => store.close());
  return store;
});
