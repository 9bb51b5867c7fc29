import test from 'ava';
import { assert, asyncProperty, boolean } from 'fast-check';
import { loadProjectConfig } from '../src/project/config.js';
import { fromEnvironment, fromFlags } from '../src/project/sources.js';
import { project, run } from './_cli.js';

test('a value comes from the flag, else the environment, else the file, else the default', async (t) => {
  const cwd = await project(t, { 'worker.config.json': '{"url": "amqp://file", "logLevel": "debug", "prefetch": 7}' });
  await assert(
    asyncProperty(boolean(), boolean(), boolean(), async (flag, environment, file) => {
      const { stdout } = await run(t, ['config', '--json', ...(flag ? ['--url', 'amqp://flag'] : [])], {
        cwd: file ? cwd : await project(t),
        env: environment ? { AMQP_URL: 'amqp://environment' } : {},
      });
      const { settings } = JSON.parse(stdout) as { settings: Array<{ name: string; value: unknown; origin: string }> };
      const url = settings.find(({ name }) => name === 'url');
      const expected = flag
        ? [['amqp://flag'], 'flag --url']
        : environment
          ? [['amqp://environment'], 'environment AMQP_URL']
          : file
            ? ['amqp://file', 'worker.config.json']
            : ['amqp://localhost', 'default'];
      return JSON.stringify([url?.value, url?.origin]) === JSON.stringify(expected);
    }),
    { numRuns: 8 },
  );
  t.pass();
});

test('each form of the configuration file is read', async (t) => {
  const forms = {
    'worker.config.ts': 'interface Config { prefetch: number }\nexport default { prefetch: 3 } satisfies Config;',
    'worker.config.mjs': 'export default { prefetch: 3 };',
    'worker.config.cjs': 'module.exports = { prefetch: 3 };',
    'worker.config.js': 'export default () => ({ prefetch: 3 });',
    'worker.config.json': '{ "prefetch": 3 }',
    'worker.config.yaml': 'prefetch: 3\n',
  };
  for (const [name, content] of Object.entries(forms)) {
    const cwd = await project(t, { [name]: content, 'package.json': '{"type":"module"}' });
    const { file, values } = await loadProjectConfig({ cwd });
    t.is(file, name);
    t.is(values.prefetch, 3, name);
  }
});

test('a configuration can make plugins with their options, and names stay names', async (t) => {
  const cwd = await project(t, {
    'worker.config.ts': `
      import rateLimit from '@warren/plugin-ratelimit';
      export default { plugins: ['delay', rateLimit({ max: 100, per: 1000 })] };`,
  });
  const { values, made } = await loadProjectConfig({ cwd });
  t.is(values.plugins?.[0], 'delay');
  t.regex((await run(t, ['config'], { cwd })).stdout, /plugins +delay, ratelimit +worker\.config\.ts/);
  t.deepEqual(
    made.map(({ name }) => name),
    ['ratelimit'],
  );
});

for (const [what, files, flags, code] of [
  ['a file that is not there', {}, { config: 'nowhere.ts' }, 'ERR_CONFIG_NOT_FOUND'],
  ['a file that throws', { 'worker.config.mjs': "throw new Error('broken')" }, {}, 'ERR_MODULE_LOAD'],
  ['a file that is no JSON', { 'worker.config.json': '{' }, {}, 'ERR_MODULE_LOAD'],
  ['a file that exports a list', { 'worker.config.mjs': 'export default [1]' }, {}, 'ERR_INVALID_OPTION'],
  ['an option that nobody knows', { 'worker.config.json': '{"prefetsch": 1}' }, {}, 'ERR_UNKNOWN_OPTION'],
  ['plugins that are no list', { 'worker.config.json': '{"plugins": "delay"}' }, {}, 'ERR_INVALID_OPTION'],
  ['handlers that are no text', { 'worker.config.json': '{"handlers": 1}' }, {}, 'ERR_INVALID_OPTION'],
  ['a level that does not exist', { 'worker.config.json': '{"logLevel": "loud"}' }, {}, 'ERR_INVALID_OPTION'],
  ['a duration that is none', { 'worker.config.json': '{"shutdownTimeout": "soon"}' }, {}, 'ERR_INVALID_OPTION'],
  ['a management address that is none', { 'worker.config.json': '{"managementUrl": "localhost"}' }, {}, 'ERR_INVALID_OPTION'],
] as const) {
  test(`${what} is ${code}`, async (t) => {
    const cwd = await project(t, files);
    await t.throwsAsync(loadProjectConfig({ cwd, ...flags }), { code });
  });
}

test('of several names in the environment the first that is set counts, and a list of addresses is a cluster', (t) => {
  t.deepEqual(fromEnvironment({ RABBITMQ_URL: 'amqp://a,amqp://b', CLOUDAMQP_URL: 'amqp://c' }), [
    { key: 'url', value: ['amqp://a', 'amqp://b'], origin: 'environment RABBITMQ_URL' },
  ]);
});

test('what Kubernetes injects for a service is no setting', (t) => {
  t.deepEqual(fromEnvironment({ WORKER_PORT: '1', WORKER_SERVICE_HOST: 'x', AMQP_PORT: '2', RABBITMQ_PORT: 'tcp://3' }), []);
});

test('plugins are split at commas, patterns of handlers are not', (t) => {
  t.deepEqual(
    fromFlags({ plugins: ['a, b', 'c'], handlers: ['./*.{ts,js}'] }).map(({ value }) => value),
    [['a', 'b', 'c'], ['./*.{ts,js}']],
  );
});

test('secrets are hidden in what `worker config` shows', async (t) => {
  const cwd = await project(t, {
    'worker.config.mjs':
      "export default { url: 'amqp://u:hunter2@h', managementUrl: 'http://u:hunter2@h', connect: { passphrase: 'hunter2', key: 'hunter2' } };",
  });
  for (const form of [[], ['--json']]) {
    const { code, stdout } = await run(t, ['config', ...form], { cwd });
    t.is(code, 0);
    t.regex(stdout, /amqp:\/\/u:\*\*\*@h/);
    t.notRegex(stdout, /hunter2/);
  }
});
