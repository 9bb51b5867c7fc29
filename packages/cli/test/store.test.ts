import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { createContainer } from '@warren/core';
import { createStore, STORE } from '@warren/store';
import { loadProjectConfig } from '../src/project/config.js';
import { loadProject } from '../src/project/project.js';
import { redacted } from '../src/project/redacted.js';
import { broker } from './_broker.js';
import { json, project, run } from './_cli.js';

/** A plugin that counts its starts in the store that it is given. */
const COUNTER = `
  import { STORE } from '@warren/store';
  const next = async (store) => {
    const found = await store.get('starts');
    if (!found) return void (await store.putIfAbsent('starts', '1'));
    await store.replaceIfVersion('starts', found.version, { value: String(Number(found.value) + 1) });
  };
  export default { plugins: [{ name: 'counter', start: (container) => next(container.resolve(STORE)) }] };`;

for (const [how, flags, env] of [
  ['the flag', ['--store', 'lmdb:./state'], {}],
  ['the environment', [], { WARREN_STORE: 'lmdb:./state' }],
  ['no setting', [], {}],
] as const) {
  test(`plugins share the store that ${how} says, in the project's folder, and the command ends`, async (t) => {
    const { url, channel, queue } = await broker(t);
    await channel.assertQueue(queue, { durable: true });
    const cwd = await project(t, { 'worker.config.mjs': COUNTER });
    const publish = ['publish', '', queue, 'x', '--url', url, '--cwd', cwd, ...flags];
    for (const _ of [1, 2]) {
      const { code, stderr } = await run(t, publish, { env });
      t.is(code, 0, stderr);
    }
    const folder = join(cwd, how === 'no setting' ? '.warren/store' : 'state');
    t.true(existsSync(folder));
    const store = createStore(`lmdb:${folder}`);
    t.teardown(() => store.close());
    t.is((await store.get('starts'))?.value, '2');
  });
}

test('a container of the configuration that has a store keeps it, unless a setting names another', async (t) => {
  const cwd = await project(t);
  const container = createContainer();
  const own = createStore('memory:');
  container.register(STORE, { useValue: own });
  const config = await loadProjectConfig({ cwd });
  const given = { ...config, values: { ...config.values, container } };
  t.is((await loadProject(given, { handlers: 'none' })).worker.resolve(STORE), own);
  const named = { ...given, origins: { ...given.origins, store: 'flag --store' } };
  await using other = await loadProject(named, { handlers: 'none' });
  t.truthy(other.store);
  t.is<unknown, unknown>(other.worker.resolve(STORE), other.store);
  t.not<unknown, unknown>(other.store, own);
});

test('an address that is none, and a store that is not there, are told without the password', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const cwd = await project(t, { 'worker.config.mjs': COUNTER });
  const publish = ['publish', '', queue, 'x', '--url', url, '--store'];
  const wrong = await run(t, [...publish, 'mysql://u:hunter2@host'], { cwd });
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /\[ERR_STORE_URL\]/);
  const empty = await run(t, [...publish, ''], { cwd });
  t.regex(empty.stderr, /store: expected .* got ''\. \[ERR_INVALID_OPTION\]/);
  const away = await run(t, [...publish, 'redis://u:hunter2@127.0.0.1:1'], { cwd });
  t.is(away.code, 1);
  t.regex(away.stderr, /ERR_STORE_(?:UNAVAILABLE|TIMEOUT)/);
  t.notRegex(`${wrong.stderr}${away.stderr}`, /hunter2/);
});

test('doctor asks the store, and makes none', async (t) => {
  const { url } = await broker(t);
  const cwd = await project(t);
  const findings = async (...flags: string[]): Promise<object[]> => {
    const { stdout } = await run(t, ['doctor', '--url', url, '--json', ...flags], { cwd });
    const report = JSON.parse(stdout) as { findings: Array<{ check: string }> };
    return report.findings.filter(({ check }) => check === 'store');
  };
  t.deepEqual(await findings(), []);
  t.like(await findings('--store', 'lmdb:state'), [{ status: 'ok', detail: 'lmdb:state: the first start makes it' }]);
  t.false(existsSync(join(cwd, 'state')));
  await mkdir(join(cwd, 'empty'));
  t.like(await findings('--store', 'lmdb:empty'), [{ status: 'ok', detail: 'lmdb:empty: the first start makes it' }]);
  t.deepEqual(await readdir(join(cwd, 'empty')), []);
  t.regex(JSON.stringify(await findings('--store', 'memory:')), /memory: answers in [\d.]+ ms/);
  t.like(await findings('--store', 'redis://u:hunter2@127.0.0.1:1'), [{ status: 'problem' }]);
});

test('a store that never answers is a problem that doctor reports', async (t) => {
  const { url } = await broker(t);
  const silent = createServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  const store = `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { code, stdout } = await run(t, ['doctor', '--url', url, '--store', store, '--json'], { cwd: await project(t) });
  t.is(code, 1);
  const { findings } = JSON.parse(stdout) as { findings: Array<{ check: string; detail: string }> };
  t.regex(findings.find(({ check }) => check === 'store')?.detail ?? '', /ERR_STORE_TIMEOUT/);
  t.truthy(findings.find(({ check }) => check === 'broker'));
});

test('passwords are hidden wherever an address has them', async (t) => {
  const cwd = await project(t);
  const { settings } = await json<{ settings: Array<{ name: string; value: string; origin: string }> }>(t, ['config'], {
    cwd,
    env: { WARREN_STORE: 'postgres://app:hunter2@db/jobs' },
  });
  t.like(
    settings.find(({ name }) => name === 'store'),
    { value: 'postgres://app:***@db/jobs', origin: 'environment WARREN_STORE' },
  );
  t.is(redacted('postgres://db/jobs?user=app&password=hunter2&table=t'), 'postgres://db/jobs?user=app&password=***&table=t');
  t.is(redacted('redis://:hunter2@host'), 'redis://:***@host');
});
