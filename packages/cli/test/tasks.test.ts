// Serial: each test runs several processes, each of them with all plugins.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { TaskRecord } from '@warren/plugin-tasks';
import { taskProject } from './_tasks.js';

test.serial('a task is enqueued by its name; its id is all of stdout, and its record tells how it went', async (t) => {
  const { run, json, work, reached } = await taskProject(t);
  const { code, stdout, stderr } = await run('enqueue', 'double', '{"n":21}');
  t.is(code, 0, stderr);
  const id = stdout.trim();
  t.like(await json('tasks', 'show', id), { id, task: 'double', state: 'queued', attempts: 0 });
  const cli = work();
  t.like(await reached(id, 'succeeded'), { attempts: 1, result: 42 });
  cli.kill('SIGTERM');
  t.is((await cli.ended).code, 0);
  const table = await run('tasks', 'show', id);
  t.regex(table.stdout, /^state +succeeded$/m);
  t.regex(table.stdout, /^finishedAt +\d{4}-\d\d-\d\dT/m);
});

test.serial('the options of enqueue are those of the task', async (t) => {
  const { run, json, channel, queue } = await taskProject(t);
  const args = ['--id', 'one', '--priority', '3', '--header', 'tenant=acme', '--expires-in', '1h'];
  t.is((await run('enqueue', 'double', '{"n":1}', ...args)).stdout, 'one\n');
  const message = await channel.get(queue, { noAck: true });
  t.like(message && message.properties, { messageId: 'one', type: 'double', priority: 3 });
  t.is(message && message.properties.headers?.['tenant'], 'acme');
  t.true(Number(message && message.properties.headers?.['x-task-expires-at']) > Date.now());
  const later = await json<{ id: string; duplicate: boolean }>(
    'enqueue',
    'double',
    '{"n":1}',
    '--delay',
    '1h',
    '--unique',
    'key',
  );
  t.false(later.duplicate);
  t.like(await json('tasks', 'show', later.id), { state: 'scheduled' });
  t.deepEqual(await json('enqueue', 'double', '{"n":2}', '--unique', 'key'), { id: later.id, duplicate: true });
});

test.serial('every line is a task; those that are none are told by number', async (t) => {
  const { cwd, run, json, channel, queue } = await taskProject(t);
  await writeFile(
    join(cwd, 'numbers.ndjson'),
    `${Array.from({ length: 200 }, (_, n) => `{"n":${n}}`).join('\n')}\n{"n":"x"}\nno\n`,
  );
  const { code, stdout, stderr } = await run('enqueue', 'double', '@numbers.ndjson', '--ndjson', '--json');
  t.is(code, 1);
  t.like(JSON.parse(stdout) as object, { published: 200, invalid: 2 });
  t.deepEqual(stderr.match(/^line \d+/gm)?.toSorted(), ['line 201', 'line 202']);
  t.is((await channel.checkQueue(queue)).messageCount, 200);
  t.is((await json<TaskRecord[]>('tasks', 'list', '--state', 'queued', '--limit', '500')).length, 200);
});

test.serial('tasks are listed by state and name, the newest first', async (t) => {
  const { run, json } = await taskProject(t);
  for (const [task, id, ...more] of [
    ['double', 'first'],
    ['report', 'second'],
    ['double', 'third', '--delay', '1h'],
  ] as const) {
    t.is((await run('enqueue', task, '{"n":1}', '--id', id, ...more)).code, 0);
  }
  const ids = async (...flags: string[]): Promise<string[]> =>
    (await json<TaskRecord[]>('tasks', 'list', ...flags)).map(({ id }) => id);
  t.deepEqual(await ids(), ['third', 'second', 'first']);
  t.deepEqual(await ids('--limit', '2'), ['third', 'second']);
  t.deepEqual(await ids('--task', 'double', '--state', 'queued'), ['first']);
  const { stdout, stderr } = await run('tasks', '--limit', '1');
  t.regex(stdout, /^ID +TASK +STATE +ATTEMPTS +ENQUEUED +DETAILS\nthird +double +scheduled +0 +.* ago +due \d{4}-/);
  t.regex(stderr, /1 of 3 shown/);
});

test.serial('a task that has not begun is cancelled, any other is not', async (t) => {
  const { run, json, work, reached } = await taskProject(t);
  await run('enqueue', 'double', '{"n":1}', '--id', 'waits', '--delay', '1h');
  await run('enqueue', 'double', '{"n":1}', '--id', 'goes');
  t.deepEqual(await json('tasks', 'cancel', 'waits'), { id: 'waits', cancelled: true });
  t.like(await json('tasks', 'show', 'waits'), { state: 'cancelled' });
  work();
  await reached('goes', 'succeeded');
  const late = await run('tasks', 'cancel', 'goes');
  t.is(late.code, 1);
  t.regex(late.stderr, /Task "goes" is succeeded: .*\[ERR_TASK_NOT_CANCELLED\]/);
});

test.serial('a dead task runs again, even when it has expired meanwhile', async (t) => {
  const { cwd, run, work, reached, channel, queue } = await taskProject(t);
  work();
  t.is((await run('enqueue', 'double', '{"n":-1}', '--id', 'dies', '--expires-in', '10m')).code, 0);
  t.is((await run('enqueue', 'double', '{"n":-2}', '--id', 'stays')).code, 0);
  t.like(await reached('dies', 'dead'), { error: { name: 'RangeError' } });
  await reached('stays', 'dead');
  await writeFile(join(cwd, 'mended'), '');
  const again = await run('tasks', 'retry', 'dies');
  t.is(again.stdout, `sent to ${queue}\n`, again.stderr);
  t.like(await reached('dies', 'succeeded'), { result: -2, attempts: 1 });
  t.is((await channel.checkQueue(`${queue}.dead`)).messageCount, 1);
  const twice = await run('tasks', 'retry', 'dies');
  t.is(twice.code, 1);
  t.regex(twice.stderr, /is succeeded.*\[ERR_TASK_NOT_DEAD\]/);
  await channel.purgeQueue(`${queue}.dead`);
  t.regex((await run('tasks', 'retry', 'stays')).stderr, /\[ERR_DEAD_LETTER_MISSING\]/);
});

test.serial('an expired task is replayed without its expiry', async (t) => {
  const { run, work, reached } = await taskProject(t);
  t.is((await run('enqueue', 'double', '{"n":4}', '--id', 'late', '--expires-in', '1')).code, 0);
  work();
  await reached('late', 'dead');
  t.is((await run('tasks', 'retry', 'late')).code, 0);
  t.like(await reached('late', 'succeeded'), { result: 8 });
});

test.serial('recurring tasks are listed with their next ticks, and run when they are asked for', async (t) => {
  const { run, json, work, reached } = await taskProject(t);
  interface Row {
    readonly name: string;
    readonly next: readonly string[];
  }
  const rows = await json<Row[]>('schedule', 'list');
  t.like(rows, [
    { name: 'report', task: 'report', when: '0 6 * * * (Europe/Berlin)', missed: 'one' },
    { name: 'hourly', task: 'report', when: 'every 1h', missed: 'one' },
  ]);
  const next = (rows[1]?.next ?? []).map((tick) => Date.parse(tick));
  t.deepEqual(
    next.map((tick) => tick % 3_600_000),
    [0, 0, 0],
  );
  t.true((next[0] ?? 0) > Date.now());
  const table = await run('schedule');
  t.regex(
    table.stdout,
    /^SCHEDULE +TASK +WHEN +NEXT +LAST\nreport +report +0 6 \* \* \* \(Europe\/Berlin\) +\d{4}-.* \(in .*\) +-\n/,
  );
  work();
  const { stdout, stderr } = await run('schedule', 'run', 'report');
  const id = stdout.trim();
  t.regex(id, /^report@\d{4}-/, stderr);
  t.like(await reached(id, 'succeeded'), { result: { tick: id.replace('report@', '') } });
  const hourly = await run('schedule', 'run', 'hourly');
  t.is(hourly.code, 0, hourly.stderr);
});

const MISTAKES = [
  [['enqueue'], 2, /ERR_USAGE/],
  [['enqueue', 'nobody'], 2, /ERR_JOB_NOT_FOUND/],
  [['enqueue', 'plain', '{}'], 2, /ERR_NOT_A_TASK/],
  [['enqueue', 'double', '{"n":"x"}'], 1, /n: expected a number.*ERR_PAYLOAD_INVALID/],
  [['enqueue', 'double', '{'], 1, /ERR_PAYLOAD_DECODING/],
  [['enqueue', 'double', '@nowhere'], 2, /ERR_USAGE/],
  [['enqueue', 'double', '{}', '--priority', 'high'], 2, /--priority: .*ERR_INVALID_OPTION/],
  [['enqueue', 'double', '{}', '--expires-in', 'soon'], 2, /--expires-in: .*ERR_INVALID_OPTION/],
  [['enqueue', 'double', '{}', '--delay', '1h', '--at', '2030-01-01'], 2, /ERR_USAGE/],
  [['enqueue', 'double', '-', '--ndjson', '--id', 'x'], 2, /ERR_USAGE/],
  [['enqueue', 'double', '-', '--ndjson', '--unique', 'x'], 2, /ERR_USAGE/],
  [['enqueue', 'double', '{}', '--rate', '1/s'], 2, /ERR_USAGE/],
  [['tasks', 'list', '--state', 'lost'], 2, /--state: expected one of .*ERR_INVALID_OPTION/],
  [['tasks', 'list', '--limit', '0'], 2, /ERR_USAGE/],
  [['tasks', 'show', 'nobody'], 1, /ERR_TASK_UNKNOWN/],
  [['tasks', 'cancel', 'nobody'], 1, /ERR_TASK_UNKNOWN/],
  [['tasks', 'retry', 'nobody'], 1, /ERR_TASK_UNKNOWN/],
  [['schedule', 'run', 'nobody'], 2, /Known: report, hourly.*ERR_SCHEDULE_NOT_FOUND/],
] as const;

test.serial('every mistake is told with its code and without a stack', async (t) => {
  const { run } = await taskProject(t);
  for (const [args, code, says] of MISTAKES) {
    const ended = await run(...args);
    t.is(ended.code, code, `${args.join(' ')}: ${ended.stderr}`);
    t.regex(ended.stderr, says);
    t.notRegex(ended.stderr, /^ +at /m);
  }
});

test.serial('without a broker it is exit code 3', async (t) => {
  const { run } = await taskProject(t);
  for (const args of [
    ['enqueue', 'double', '{"n":1}'],
    ['tasks', 'list'],
    ['schedule', 'list'],
  ]) {
    t.is((await run(...args, '--url', 'amqp://127.0.0.1:1')).code, 3);
  }
});
