import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { run } from './_cli.js';

const REFERENCE = fileURLToPath(new URL('../../../../docs/cli.md', import.meta.url));
/** Commands whose sections name options of each other. */
const SHARE_A_TABLE = ['queues', 'dlq', 'tasks', 'schedule', 'exchanges', 'consumers'];
const EVERYWHERE = ['--help', '--version', '--quiet'];

/** The commands that a help lists. */
async function listed(t: ExecutionContext, ...command: string[]): Promise<string[]> {
  const { stdout } = await run(t, [...command, '--help']);
  return [...stdout.matchAll(/^ {2}worker ((?:[a-z]+ ?)+?)(?: [<[]| {2,})/gm)].map(([, name]) => name?.trim() ?? '');
}

/** The part of the reference under the heading that names a command. */
function section(reference: string, command: string): string | undefined {
  return reference.split(/^## /m).find((part) => part.split('\n', 1)[0]?.includes(`worker ${command}`));
}

test('the reference has a section for every command of the help, and no other', async (t) => {
  const reference = await readFile(REFERENCE, 'utf8');
  const commands = await listed(t);
  t.true(commands.length >= 9, commands.join());
  for (const command of commands) t.truthy(section(reference, command), command);
  const headings = [...reference.matchAll(/^## (worker .*)$/gm)].flatMap(([, heading]) => heading?.split(', ') ?? []);
  t.deepEqual(headings.map((heading) => heading.replace('worker ', '')).toSorted(), commands.toSorted());
  for (const group of ['queues', 'dlq', 'tasks', 'schedule']) {
    for (const command of await listed(t, group)) t.true(reference.includes(`worker ${command}`), command);
  }
});

test('the reference names every option of every command, and no other', async (t) => {
  const reference = await readFile(REFERENCE, 'utf8');
  const shared = section(reference, 'queues') ?? '';
  const commands = [
    'start',
    'publish',
    'enqueue',
    'tasks list',
    'tasks show',
    'tasks retry',
    'tasks cancel',
    'schedule list',
    'schedule run',
    'queues list',
    'queues inspect',
    'queues peek',
    'queues purge',
    'dlq list',
    'dlq show',
    'dlq replay',
    'dlq purge',
    'dlq export',
    'exchanges',
    'consumers',
    'broker',
    'plugins',
    'config',
    'doctor',
  ];
  for (const command of commands) {
    const { stdout } = await run(t, [...command.split(' '), '--help']);
    const options = [...stdout.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)]
      .map(([, option]) => option ?? '')
      .filter((option) => !EVERYWHERE.includes(option));
    const name = command.split(' ', 1)[0] ?? '';
    const text = section(reference, name) ?? '';
    const described = /Options as for/.test(text) ? shared : text;
    for (const option of options) t.true(described.includes(option), `${command} ${option}`);
    if (SHARE_A_TABLE.includes(name)) continue;
    for (const [option] of text.matchAll(/--[a-z]+(?:-[a-z]+)*/g)) {
      const known = option.startsWith('--no-') ? option.replace('--no-', '--') : option;
      t.true(options.includes(known), `${command} ${option}`);
    }
  }
});
