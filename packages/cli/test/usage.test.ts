import test from 'ava';
import { exitCodeOf } from '../src/exit.js';
import { execute } from '../src/main.js';
import { broker } from './_broker.js';
import { project, run } from './_cli.js';
import { take } from './_dead.js';
import { sleeper } from './_sleeper.js';

const START = ['start', '--url', 'amqp://127.0.0.1:1'];

for (const [args, code, says] of [
  [[], 'ERR_USAGE', /worker --help/],
  [['strat'], 'ERR_USAGE', /Did you mean start\?/],
  [[...START, '--concurency', '1'], 'ERR_USAGE', /concurency/],
  [[...START, '--concurrency', 'abc'], 'ERR_INVALID_OPTION', /--concurrency: expected a whole number, got 'abc'/],
  [[...START, '--concurrency', '0'], 'ERR_INVALID_OPTION', /concurrency/],
  [[...START, '--concurrency'], 'ERR_USAGE', /concurrency/],
  [[...START, '--prefetch', '70000'], 'ERR_INVALID_OPTION', /prefetch/],
  [[...START, '--prefetch', '-1'], 'ERR_INVALID_OPTION', /prefetch/],
  [[...START, '--shutdown-timeout', 'soon'], 'ERR_INVALID_OPTION', /shutdownTimeout/],
  [[...START, '--log-level', 'loud'], 'ERR_INVALID_OPTION', /logLevel.*trace, debug/],
  [['start', '--url', 'http://localhost'], 'ERR_INVALID_OPTION', /url/],
  [[...START, '--config', 'nowhere.ts'], 'ERR_CONFIG_NOT_FOUND', /nowhere\.ts/],
  [[...START, '--plugins', 'nowhere'], 'ERR_PLUGIN_NOT_FOUND', /npm install/],
  [[...START, '--plugins', 'delay,delay'], 'ERR_PLUGIN_DUPLICATE', /delay/],
  [[...START, '--handlers', './nowhere/*.ts'], 'ERR_NO_HANDLERS', /nowhere/],
  [[...START, '--cwd', '/nonexistent'], 'ERR_NO_HANDLERS', /nonexistent/],
  [['publish'], 'ERR_USAGE', /exchange/],
  [['enqueue'], 'ERR_USAGE', /got 0, expected 1\. Add --help/],
  [['publish', 'x', 'y'], 'ERR_USAGE', /body/],
  [['publish', 'x', 'y', 'z', '--rate', '5/s'], 'ERR_USAGE', /--ndjson/],
  [['publish', 'x', 'y', '-', '--ndjson', '--rate', 'fast'], 'ERR_INVALID_OPTION', /--rate/],
  [['publish', 'x', 'y', 'z', '--header', 'novalue'], 'ERR_USAGE', /name=value/],
  [['publish', 'x', 'y', 'z', '--delay', 'soon'], 'ERR_INVALID_OPTION', /--delay/],
  [['publish', 'x', 'y', 'z', '--at', 'soon'], 'ERR_USAGE', /--at/],
  [['publish', 'x', 'y', 'z', '--at', '2030-01-01', '--delay', '1s'], 'ERR_USAGE', /not both/],
  [['publish', '--job', 'other', '{}'], 'ERR_JOB_NOT_FOUND', /Known: nap/],
  [['publish', '--job', 'nap', '{}', 'extra'], 'ERR_USAGE', /one argument/],
  [['queues', 'peek'], 'ERR_USAGE', /Arguments are missing/],
  [['doctor', '--consumer-timeout', 'long'], 'ERR_INVALID_OPTION', /--consumer-timeout/],
  [['start', '--url', ''], 'ERR_INVALID_OPTION', /url: expected an address/],
  [['publish', 'x', 'y', 'z', '--', '--flag'], 'ERR_USAGE', /^Unknown arguments: --flag,/],
  [[...START, '--config', 'first.ts', '--config', 'last.ts'], 'ERR_CONFIG_NOT_FOUND', /last\.ts/],
  [['queues', 'peek', 'x', '--limit', '5', '--limit', '0'], 'ERR_USAGE', /got "0"/],
] as const) {
  test(`worker ${args.join(' ')} is ${code}`, async (t) => {
    const cwd = await project(t, { 'handlers/nap.ts': sleeper('never') });
    const inProject = args.length === 0 || args.includes('--cwd' as never) ? [] : ['--cwd', cwd];
    const error = await t.throwsAsync(execute([...args, ...inProject]), { code, message: says });
    t.is(exitCodeOf(error), 2);
  });
}

test('a mistake is told in a sentence with its code, without a stack', async (t) => {
  const { code, stdout, stderr } = await run(t, ['start', '--concurrency', 'abc'], { cwd: await project(t) });
  t.is(code, 2);
  t.is(stdout, '');
  t.is(stderr, "worker: --concurrency: expected a whole number, got 'abc'. [ERR_INVALID_OPTION]\n");
});

test('what follows -- is an argument, whatever it begins with', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const args = ['publish', '--url', url, '--', '', queue];
  for (const body of ['--flag', '-', 'text']) {
    const { code, stderr } = await run(t, [...args, body], { cwd: await project(t), input: 'stdin' });
    t.is(code, 0, stderr);
  }
  t.deepEqual(
    (await take(channel, queue)).map(({ body }) => body),
    ['--flag', 'stdin', 'text'],
  );
});

test('a bug is told with its stack', async (t) => {
  const cwd = await project(t, { 'worker.config.mjs': "export default { findServers: () => { throw new TypeError('bug'); } };" });
  const { code, stderr } = await run(t, ['queues'], { cwd });
  t.is(code, 1);
  t.regex(stderr, /TypeError: bug\n +at /);
});

test('the help of every command has two examples, and the version is printed', async (t) => {
  for (const command of [
    'start',
    'publish',
    'queues list',
    'queues inspect',
    'queues peek',
    'queues purge',
    'exchanges',
    'consumers',
    'plugins',
    'config',
    'doctor',
  ]) {
    const { code, stdout } = await run(t, [...command.split(' '), '--help']);
    t.is(code, 0);
    t.regex(stdout, /Examples:\n {2}worker .*[\s\S]*\n {2}worker /, command);
  }
  t.regex((await run(t, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('what is said is English in any locale', async (t) => {
  const { stderr } = await run(t, ['enqueue'], { env: { LC_ALL: 'de_DE.UTF-8' } });
  t.regex(stderr, /Arguments are missing/);
});

test('a completion script is printed for bash, zsh and fish', async (t) => {
  for (const [shell, mark] of [
    ['bash', /complete -o/],
    ['zsh', /#compdef/],
    ['fish', /complete --no-files|complete -c|complete/],
  ] as const) {
    const { code, stdout } = await run(t, ['completion'], { env: { SHELL: `/bin/${shell}` } });
    t.is(code, 0);
    t.regex(stdout, mark);
  }
});
