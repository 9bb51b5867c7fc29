import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createContainer } from '@warren/core';
import { createStore, provideStore, STORE } from '../src/index.js';

test('A store that is given is used, and not owned.', (t) => {
  const container = createContainer();
  const store = createStore('memory:');
  t.deepEqual(provideStore(container, store), { store, owned: false });
  t.false(container.isRegistered(STORE, true), 'it is that of one plugin');
});

test('What is neither a store nor the URL of one is refused.', (t) => {
  for (const given of [null, 7, {}, { get: 1 }, new URL('redis://app:s3cret@host')]) {
    const error = t.throws(() => provideStore(createContainer(), given as never), { code: 'ERR_INVALID_OPTION' });
    t.regex(error.message, /^store: expected a store/);
    t.notRegex(error.message, /s3cret/);
  }
});

test('A URL makes a store that is owned.', async (t) => {
  const container = createContainer();
  const { store, owned } = provideStore(container, 'memory:');
  t.true(owned);
  t.truthy(await store.putIfAbsent('a', 'x'));
  t.false(container.isRegistered(STORE, true), 'it is that of one plugin');
  t.throws(() => provideStore(container, 'nowhere'), { code: 'ERR_STORE_URL' });
});

test('Without either, the one under STORE is used, and not owned.', (t) => {
  const parent = createContainer();
  const store = createStore('memory:');
  parent.register(STORE, { useValue: store });
  t.deepEqual(provideStore(createContainer(parent)), { store, owned: false });
});

// One after another: they set the environment.
test.serial('Where there is none, the one at WARREN_STORE is made for all plugins, and owned by the first.', (t) => {
  process.env['WARREN_STORE'] = 'memory:';
  t.teardown(() => delete process.env['WARREN_STORE']);
  const container = createContainer();
  const { store, owned } = provideStore(container);
  t.true(owned);
  t.deepEqual(provideStore(container), { store, owned: false });
  t.is(container.resolve(STORE), store);
});

test.serial('Without WARREN_STORE it is in .warren/store.', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'warren-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  // In a child process: the folder is relative to where a process works.
  const { execFile } = await import('node:child_process');
  const code = `
    const { createContainer } = await import(${JSON.stringify(import.meta.resolve('@warren/core'))});
    const { provideStore } = await import(${JSON.stringify(new URL('../src/index.js', import.meta.url))});
    const { store } = provideStore(createContainer());
    await store.putIfAbsent('a', 'x');
    await store.close();`;
  const { WARREN_STORE: _, ...env } = process.env;
  await new Promise<void>((resolve, reject) => {
    const args = ['--input-type=module', '--eval', code];
    execFile(process.execPath, args, { cwd: folder, env }, (error) => (error ? reject(error) : resolve()));
  });
  t.deepEqual((await readdir(join(folder, '.warren', 'store'))).toSorted(), ['data.mdb', 'lock.mdb']);
});
