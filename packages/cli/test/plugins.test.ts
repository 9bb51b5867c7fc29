import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { candidates, loadPlugins } from '../src/project/plugins.js';
import { project, run } from './_cli.js';

const esm = (name: string): string => `export default (options) => ({ name: '${name}', options });`;

/** A package as an installer would leave it. */
function packageOf(
  name: string,
  { main, content, extra = {} }: { main: string; content: string; extra?: object },
): Record<string, string> {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', ...extra }),
    [`node_modules/${name}/${main}`]: content,
  };
}

async function load(t: ExecutionContext, files: Record<string, string>, ...names: string[]): Promise<string[]> {
  const cwd = await project(t, files);
  const loaded = await loadPlugins(names, { cwd, made: [] });
  return loaded.map(({ plugin }) => plugin.name);
}

test('a short name is first our package, then a third party’s, then the name itself', (t) => {
  t.deepEqual(candidates('delay'), ['@warren/plugin-delay', 'warren-plugin-delay', 'delay']);
  t.deepEqual(candidates('@acme/audit'), ['@acme/audit', '@acme/warren-plugin-audit']);
});

test('our own plugins load by their short names', async (t) => {
  t.deepEqual(await load(t, {}, 'delay', 'ratelimit'), ['delay', 'ratelimit']);
});

test('a third party’s package loads: one that can only be imported, one of CommonJS, a scoped one, one compiled to CommonJS', async (t) => {
  const files = {
    ...packageOf('warren-plugin-audit', {
      main: 'a.js',
      content: esm('audit'),
      extra: { type: 'module', exports: { '.': { import: './a.js' } } },
    }),
    ...packageOf('plain', { main: 'index.js', content: "module.exports = () => ({ name: 'plain' });" }),
    ...packageOf('@acme/warren-plugin-billing', {
      main: 'index.mjs',
      content: esm('billing'),
      extra: { exports: './index.mjs' },
    }),
    ...packageOf('compiled', {
      main: 'index.js',
      content: "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = () => ({ name: 'compiled' });",
    }),
  };
  t.deepEqual(await load(t, files, 'audit', 'plain', '@acme/billing', 'compiled'), ['audit', 'plain', 'billing', 'compiled']);
});

test('a path is relative to the project, and may be TypeScript', async (t) => {
  const files = {
    'plugins/mine.ts': "import type { Plugin } from '@warren/core';\nexport default (): Plugin => ({ name: 'mine' });",
  };
  t.deepEqual(await load(t, files, './plugins/mine.ts'), ['mine']);
});

test('a name whose plugin the configuration has made is that one, with its options', async (t) => {
  const made = [{ name: 'delay', mark: true }];
  const [loaded] = await loadPlugins(['delay'], { cwd: await project(t), made });
  t.is(loaded?.plugin, made[0]);
});

test('a plugin that is not there says what was tried and how to install it', async (t) => {
  const cwd = await project(t);
  const error = await t.throwsAsync(loadPlugins(['nowhere'], { cwd, made: [] }), { code: 'ERR_PLUGIN_NOT_FOUND' });
  t.regex(
    error.message,
    /@warren\/plugin-nowhere, warren-plugin-nowhere, nowhere\. Install it: npm install @warren\/plugin-nowhere/,
  );
});

test('a path that is not there, and a name that is one of Node’s own modules, are not found', async (t) => {
  const cwd = await project(t);
  for (const name of ['./nowhere.js', join(cwd, 'nowhere.js'), 'events']) {
    await t.throwsAsync(loadPlugins([name], { cwd, made: [] }), { code: 'ERR_PLUGIN_NOT_FOUND' });
  }
});

for (const [what, content] of [
  ['exports nothing', ''],
  ['exports another thing', 'export default 42;'],
  ['makes something without a name', 'export default () => ({});'],
] as const) {
  test(`a module that ${what} is no plugin`, async (t) => {
    const cwd = await project(t, { 'it.mjs': content });
    await t.throwsAsync(loadPlugins(['./it.mjs'], { cwd, made: [] }), { code: 'ERR_NOT_A_PLUGIN' });
  });
}

test('a plugin that refuses its options says so itself, and one that breaks on load is named with the place', async (t) => {
  const cwd = await project(t, { 'broken.mjs': "throw new Error('no disk');" });
  const error = await t.throwsAsync(loadPlugins(['./broken.mjs'], { cwd, made: [] }), { code: 'ERR_MODULE_LOAD' });
  t.regex(error.message, /broken\.mjs could not be loaded: no disk \(at .*broken\.mjs:1:7\)/);
});

test('`worker plugins` lists them in their order, with the options they own', async (t) => {
  const { code, stdout } = await run(t, ['plugins', '--plugins', 'ratelimit,delay', '--json'], { cwd: await project(t) });
  t.is(code, 0);
  const { plugins } = JSON.parse(stdout) as { plugins: Array<{ name: string; publishOptions: string[] }> };
  t.deepEqual(
    plugins.map(({ name }) => name),
    ['ratelimit', 'delay'],
  );
  t.deepEqual(plugins[1]?.publishOptions, ['delay', 'at']);
});
