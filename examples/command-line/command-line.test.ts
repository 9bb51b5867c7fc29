import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { freshBroker } from '@warren/test-broker';
import { folder, startWorker, worker } from '../_cli.js';
import { Recorder } from '../_recorder.js';

const LETTER = 'A letter to Ann.';
const REMINDER = 'A reminder to Ben.';

test('worker start runs the handlers of a project with both plugins, and drains on SIGTERM', async (t) => {
  const project = ['--cwd', folder('command-line'), '--plugins', 'delay,ratelimit', '--handlers', './handlers/*.ts'];
  const { url } = await freshBroker(t);
  const flags = [...project, '--url', url];
  const started = startWorker(t, ...flags, '--json');
  const plugins = JSON.parse(await started.lines.find((line) => line.includes('"msg":"plugins"'))) as unknown;
  t.like(plugins, { plugins: ['delay', 'ratelimit'] });
  await worker('publish', ...flags, '--job', 'reminder', '--delay', '300ms', '{"to":"Ben"}');
  await worker('publish', ...flags, '--job', 'letter', '{"to":"Ann"}');
  await started.lines.find((line) => line === REMINDER);
  await started.lines.find((line) => line === LETTER);
  t.is(await started.stop(), 0);
});

test('the same handlers and plugins, registered from code', async (t) => {
  const { url } = await freshBroker(t);
  const env = { ...process.env, AMQP_URL: url };
  const child = fork(fileURLToPath(new URL('main.js', import.meta.url)), { env, silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const printed = new Recorder<string>();
  if (child.stdout) createInterface(child.stdout).on('line', printed.add);
  t.deepEqual(await printed.first(2), [LETTER, REMINDER]);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  t.deepEqual(await exited, [0, null]);
});
