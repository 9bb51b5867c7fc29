// The one entry of `npm start`, `npm test` and the other root scripts: installs with the pinned pnpm when the lockfile is
// newer than what is installed, builds, then runs the task. Needs Node and npm only, asks nothing, installs nothing globally.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PATH = join(root, 'node_modules/.bin') + delimiter + process.env.PATH;

function run(command, args, env = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, PATH, ...env },
  });
  if (error) throw error;
  return signal ? 1 : status;
}

function step(command, args, env) {
  const code = run(command, args, env);
  if (code !== 0) process.exit(code);
}

function installed() {
  const marker = join(root, 'node_modules/.modules.yaml');
  const lock = join(root, 'pnpm-lock.yaml');
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs;
}

function install() {
  const args = ['install', '--frozen-lockfile'];
  if (process.env.npm_config_user_agent?.startsWith('pnpm/')) return step('pnpm', args);
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const pnpm = packageManager.split('+')[0];
  console.log(`Installing with ${pnpm} …`);
  return step('npx', ['--yes', pnpm, ...args], { npm_config_loglevel: 'error' });
}

const lint = () => {
  step('oxfmt', ['--check', '.']);
  step('oxlint', ['--type-aware', '--deny-warnings']);
};
const node = (script, args) => process.exit(run(process.execPath, [join(root, script), ...args]));

const tasks = {
  build: () => {},
  lint,
  format: () => step('oxfmt', ['.']),
  test: (args) => {
    lint();
    node('scripts/test.mjs', args);
  },
  // In this process: it has signals to handle, which a parent that waits for its child could not.
  start: async (args) => (await import('./start.mjs')).start(args),
  bench: ([name = 'throughput', ...args]) => node(`bench/${name}.mjs`, args),
};

const [task = 'build', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task)) {
  console.error(`Unknown task "${task}": expected one of ${Object.keys(tasks).join(', ')}.`);
  process.exit(2);
}
if (!installed()) install();
step('tsc', ['-b']);
tasks[task](rest);
