import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type * as store from '../src/index.js';

/** This package in a project in which nothing is installed but core. */
async function installedAlone(t: ExecutionContext): Promise<typeof store> {
  const project = await mkdtemp(join(tmpdir(), 'warren-store-'));
  t.teardown(() => rm(project, { recursive: true }));
  await mkdir(join(project, 'node_modules/@warren'), { recursive: true });
  await symlink(fileURLToPath(new URL('../../../core', import.meta.url)), join(project, 'node_modules/@warren/core'));
  await cp(fileURLToPath(new URL('../src', import.meta.url)), join(project, 'src'), { recursive: true });
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return (await import(pathToFileURL(join(project, 'src/index.js')).href)) as typeof store;
}

test('A client that is not installed is an error of the first call, with the command that installs it.', async (t) => {
  const { createStore } = await installedAlone(t);
  for (const [url, client] of [
    ['redis://user:se-cret@localhost', 'redis'],
    ['postgres://user:se-cret@localhost', 'pg'],
    ['lmdb:./folder', 'lmdb'],
  ] as const) {
    const missing = createStore(url).get('key');
    const error = await t.throwsAsync(missing, {
      code: 'ERR_STORE_CLIENT_MISSING',
      message: new RegExp(`npm install ${client}$`),
    });
    t.like(error?.cause, { code: 'ERR_MODULE_NOT_FOUND' });
    t.notRegex(String(error), /se-cret/);
  }
});
