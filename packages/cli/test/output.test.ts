import test from 'ava';
import { describe } from '../src/exit.js';
import { escaped } from '../src/output.js';
import { broker } from './_broker.js';
import { project, run, start } from './_cli.js';
import { bury } from './_dead.js';

/** A title, a colour in two ways, text that runs backward, and a return. */
const HOSTILE = '\u001B]0;owned\u0007\u001B[31m\u009B31m\u202E\u{E0041}\rx';

/** What a terminal obeys; the line breaks are ours. */
const OBEYED = /(?!\n)[\p{Cc}\p{Cf}]/u;

test('JSON holds nothing that a terminal obeys, and all that it held before', (t) => {
  const json = escaped(JSON.stringify({ [HOSTILE]: HOSTILE }));
  t.notRegex(json, OBEYED);
  t.deepEqual(JSON.parse(json), { [HOSTILE]: HOSTILE });
});

test('an error is told with its lines, and without what a terminal obeys in them', (t) => {
  const text = describe(Object.assign(new Error(), { stack: `Error: ${HOSTILE}\n    at here` }));
  t.notRegex(text, OBEYED);
  t.regex(text, /x\n {4}at here$/);
});

test('what a dead letter says of itself does not reach the terminal as it is', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(dead, { durable: true });
  await bury(channel, dead, { messageId: HOSTILE, type: HOSTILE, error: HOSTILE, origin: `${queue}${HOSTILE}`, body: HOSTILE });
  const cwd = await project(t);
  for (const command of [['show'], ['show', '--json'], ['export'], ['replay', '--dry-run'], ['replay'], ['replay', '--json']]) {
    const { stdout, stderr } = await run(t, ['dlq', ...command, dead, '--url', url], { cwd });
    t.true(`${stdout}${stderr}`.includes('owned'), command.join(' '));
    t.notRegex(`${stdout}${stderr}`, OBEYED, command.join(' '));
  }
});

test('a dead letter that says much of itself leaves room for others in a table', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  await bury(channel, queue, { error: 'long'.repeat(10_000), body: 'long'.repeat(10_000) });
  const { stdout } = await run(t, ['dlq', 'show', queue, '--url', url], { cwd: await project(t) });
  t.regex(stdout, /(?:long){15}… {2}(?:long){15}…/);
  t.true(stdout.length < 1_000, `${stdout.length}`);
});

test('who reads the talk no more does not end the work', async (t) => {
  const { url, channel, queue } = await broker(t);
  const dead = `${queue}.dead`;
  await channel.assertQueue(queue, { durable: true });
  await channel.assertQueue(dead, { durable: true });
  // Each of the others is told.
  await bury(channel, dead, ...Array.from({ length: 40 }, (_, n) => ({ origin: n % 2 === 0 ? queue : `${queue}.gone` })));
  const cli = start(t, ['dlq', 'replay', dead, '--rate', '100/s', '--json', '--url', url], { cwd: await project(t) });
  cli.process.stderr?.destroy();
  const { code, stdout } = await cli.ended;
  t.is(code, 1);
  t.like(JSON.parse(stdout) as object, { replayed: 20, failed: 20 });
});
