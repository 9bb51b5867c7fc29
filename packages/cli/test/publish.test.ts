import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { broker } from './_broker.js';
import { project, run, start } from './_cli.js';

const jobModule = (queue: string): string => `
  import { defineJob } from '@warren/core';
  const number = { '~standard': { version: 1, vendor: 'test', validate: (value) =>
    typeof value?.n === 'number' ? { value } : { issues: [{ message: 'expected a number', path: ['n'] }] } } };
  const job = defineJob('count', { queue: '${queue}', schema: number });
  export default (worker) => { worker.handle(job, () => {}); };`;

test('a raw message arrives as it was given, and its id is all of stdout', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const args = ['publish', '', queue, '第0条消息', '--header', 'tenant=acme=1', '--content-type', 'text/plain', '--url', url];
  const { code, stdout, stderr } = await run(t, args, { cwd: await project(t) });
  t.is(code, 0, stderr);
  const message = await channel.get(queue, { noAck: true });
  t.is(message && message.content.toString(), '第0条消息');
  t.is(message && `${message.properties.messageId}\n`, stdout);
  t.like(message && message.properties, { contentType: 'text/plain', deliveryMode: 2, headers: { tenant: 'acme=1' } });
});

test('a body comes from a file or from stdin', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const cwd = await project(t, { 'body.bin': 'from a file' });
  t.is((await run(t, ['publish', '', queue, '@body.bin', '--url', url], { cwd })).code, 0);
  t.is((await run(t, ['publish', '', queue, '-', '--url', url], { cwd, input: Buffer.from([0, 255, 10]) })).code, 0);
  t.is((await run(t, ['publish', '', queue, '@nowhere', '--url', url], { cwd })).code, 2);
  const bodies = [await channel.get(queue, { noAck: true }), await channel.get(queue, { noAck: true })];
  t.deepEqual(
    bodies.map((message) => message && message.content),
    [Buffer.from('from a file'), Buffer.from([0, 255, 10])],
  );
});

test('a message that no queue takes is exit code 1, unless --no-mandatory says that it may be', async (t) => {
  const { url, queue } = await broker(t);
  const cwd = await project(t);
  const refused = await run(t, ['publish', '', queue, 'x', '--url', url], { cwd });
  t.is(refused.code, 1);
  t.regex(refused.stderr, /ERR_UNROUTABLE/);
  t.is((await run(t, ['publish', '', queue, 'x', '--no-mandatory', '--url', url], { cwd })).code, 0);
});

test('a job is published with its name, to its queue, which is declared; a payload that does not fit is exit code 1', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/count.ts': jobModule(queue) });
  const bad = await run(t, ['publish', '--job', 'count', '{"n":"one"}', '--url', url], { cwd });
  t.is(bad.code, 1);
  t.regex(bad.stderr, /n: expected a number.*\[ERR_PAYLOAD_INVALID\]/);
  const good = await run(t, ['publish', '--job', 'count', '{"n":1}', '--url', url, '--json'], { cwd });
  t.is(good.code, 0, good.stderr);
  const message = await channel.get(queue, { noAck: true });
  t.is(message && message.properties.type, 'count');
  t.is((JSON.parse(good.stdout) as { messageId: string }).messageId, message && message.properties.messageId);
});

test('--delay holds a message with plugin-delay, which need not be named', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const before = Date.now();
  const { code, stderr } = await run(t, ['publish', '', queue, 'later', '--delay', '1500', '--url', url], {
    cwd: await project(t),
  });
  t.is(code, 0, stderr);
  t.is((await channel.checkQueue(queue)).messageCount, 0);
  await new Promise<void>((resolve) => void channel.consume(queue, () => resolve(), { noAck: true }));
  t.true(Date.now() - before >= 1_500);
});

test('lines of JSON are published; the ones that cannot be are told by number, and the exit code is 1', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/count.ts': jobModule(queue) });
  const input = '{"n":1}\nnot json\n{"n":"two"}\n\n{"n":3}';
  const { code, stdout, stderr } = await run(t, ['publish', '--job', 'count', '--ndjson', '-', '--url', url, '--json'], {
    cwd,
    input,
  });
  t.is(code, 1);
  t.like(JSON.parse(stdout) as object, { published: 2, invalid: 2, empty: 1, lastLine: 5, interrupted: false });
  t.deepEqual(stderr.match(/^line \d+/gm), ['line 2', 'line 3']);
  t.is((await channel.checkQueue(queue)).messageCount, 2);
});

test('a large file is published whole, with a bounded number in flight', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/count.ts': jobModule(queue) });
  await writeFile(join(cwd, 'many.ndjson'), Array.from({ length: 3_000 }, (_, n) => JSON.stringify({ n })).join('\n'));
  const { code, stdout } = await run(t, ['publish', '--job', 'count', '--ndjson', '@many.ndjson', '--url', url], { cwd });
  t.is(code, 0);
  t.regex(stdout, /^3000 published, 0 invalid, in [\d.]+ s \(\d+\/s\)\n$/);
  t.is((await channel.checkQueue(queue)).messageCount, 3_000);
});

test('a rate paces the lines, and Ctrl-C finishes what is in flight and says how far it came', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const cwd = await project(t);
  await writeFile(join(cwd, 'many.ndjson'), '{"n":1}\n'.repeat(10_000));
  const cli = start(t, ['publish', '', queue, '@many.ndjson', '--ndjson', '--rate', '20/s', '--url', url, '--json'], { cwd });
  let arrived = 0;
  while (arrived < 5) arrived = (await channel.checkQueue(queue)).messageCount;
  cli.kill('SIGINT');
  const { code, stdout, stderr } = await cli.ended;
  const { published, lastLine, interrupted, seconds } = JSON.parse(stdout) as {
    published: number;
    lastLine: number;
    interrupted: boolean;
    seconds: number;
  };
  t.is(code, 1);
  t.true(interrupted);
  t.is(published, lastLine);
  t.true(published <= seconds * 20 + 3);
  t.regex(stderr, new RegExp(`interrupted after line ${lastLine}`));
  t.is((await channel.checkQueue(queue)).messageCount, published);
});
