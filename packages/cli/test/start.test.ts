import { appendFile } from 'node:fs/promises';
import test from 'ava';
import { broker } from './_broker.js';
import { lines, project, run, start } from './_cli.js';
import { feed } from './_feed.js';
import { sleeper } from './_sleeper.js';

const HANDLERS = ['start', '--handlers', './handlers/*.ts'];

test('TypeScript handlers with injection run, each job is a JSON line, and TERM drains with exit code 0', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, {
    'handlers/greet.ts': `
      import { defineJob, handler, inject, injectable, LOGGER } from '@warren/core';
      import type { Job, Logger } from '@warren/core';
      @injectable()
      class Greet {
        constructor(@inject(LOGGER) private readonly log: Logger) {}
        handle({ payload }: Job<{ name: string }>): void { this.log.info({ greeted: payload.name }, 'hello'); }
      }
      export default [handler(defineJob<{ name: string }>('greet', { queue: '${queue}' }), Greet, { concurrency: 2 })];`,
  });
  const cli = start(t, [...HANDLERS, '--url', url], { cwd });
  await cli.says('"jobs"');
  await feed(channel, queue, '{"name":"Ada"}');
  await cli.says('"done"');
  cli.kill('SIGTERM');
  const { code, stdout, stderr } = await cli.ended;
  t.is(code, 0);
  t.is(stderr, '');
  const log = lines(stdout);
  t.deepEqual(
    log.filter(({ level }) => level === 'info').map(({ msg }) => msg),
    ['worker', 'connected', 'plugins', 'jobs', 'hello', 'done', 'draining', 'drained'],
  );
  t.like(
    log.find(({ msg }) => msg === 'done'),
    { level: 'info', job: 'greet', queue, attempt: 1, outcome: 'ack' },
  );
  t.is(log.find(({ msg }) => msg === 'hello')?.['greeted'], 'Ada');
});

test('a drain waits for the job that runs', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  const cli = start(t, [...HANDLERS, '--url', url], { cwd });
  await cli.says('"jobs"');
  await feed(channel, queue, '{"ms":700}');
  await cli.says('begun');
  cli.kill('SIGINT');
  // One press of Ctrl-C that arrives twice, from the terminal and from npx.
  cli.kill('SIGINT');
  const { code, stdout } = await cli.ended;
  t.is(code, 0);
  t.like(
    lines(stdout).find(({ msg }) => msg === 'draining'),
    { running: 1 },
  );
  t.is((await channel.checkQueue(queue)).messageCount, 0);
});

for (const [first, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a second Ctrl-C after ${first} abandons with exit code ${expected}, and the job is back in its queue`, async (t) => {
    const { url, channel, queue } = await broker(t);
    const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
    const cli = start(t, [...HANDLERS, '--url', url], { cwd });
    await cli.says('"jobs"');
    await feed(channel, queue, '{"ms":60000}');
    await cli.says('begun');
    cli.kill(first);
    await cli.says('"draining"');
    // TERM again is ignored: orchestrators repeat it.
    cli.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 400));
    cli.kill('SIGINT');
    const { code, stdout } = await cli.ended;
    t.is(code, expected);
    t.like(
      lines(stdout).find(({ msg }) => msg === 'abandoned'),
      { abandoned: 1 },
    );
    const back = await channel.get(queue, { noAck: true });
    t.is(back && back.content.toString(), '{"ms":60000}');
  });
}

test('a drain that takes longer than --shutdown-timeout gives the job back with exit code 4', async (t) => {
  const { url, channel, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  const cli = start(t, [...HANDLERS, '--url', url, '--shutdown-timeout', '1s'], { cwd });
  await cli.says('"jobs"');
  await feed(channel, queue, '{"ms":60000}');
  await cli.says('begun');
  cli.kill('SIGTERM');
  const { code } = await cli.ended;
  t.is(code, 4);
  const back = await channel.get(queue, { noAck: true });
  t.is(back && back.content.toString(), '{"ms":60000}');
});

test('a broker that cannot be reached is exit code 3', async (t) => {
  const cwd = await project(t, { 'handlers/nap.ts': sleeper('never'), 'worker.config.json': '{"startTimeout": 500}' });
  const { code, stderr } = await run(t, [...HANDLERS, '--url', 'amqp://user:secret@127.0.0.1:1'], { cwd });
  t.is(code, 3);
  t.regex(stderr, /ERR_BROKER_UNREACHABLE/);
  t.notRegex(stderr, /secret|^\s+at /m);
});

test('a refused login is exit code 2', async (t) => {
  const { url } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper('never') });
  const wrong = url.replace('guest:guest', 'guest:wrong');
  const { code, stderr } = await run(t, [...HANDLERS, '--url', wrong], { cwd });
  t.is(code, 2);
  t.regex(stderr, /ERR_BROKER_REFUSED/);
  t.notRegex(stderr, /wrong@/);
});

test('a queue that exists with other arguments is exit code 2 and is named', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true });
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  const { code, stderr } = await run(t, [...HANDLERS, '--url', url], { cwd });
  t.is(code, 2);
  t.regex(stderr, /ERR_TOPOLOGY_MISMATCH/);
  t.true(stderr.includes(queue));
});

test('a signal while the broker is not there yet ends the start with exit code 0', async (t) => {
  const cwd = await project(t, { 'handlers/nap.ts': sleeper('never') });
  const cli = start(t, [...HANDLERS, '--url', 'amqp://127.0.0.1:1'], { cwd });
  await cli.says('"reconnecting"');
  cli.kill('SIGTERM');
  t.is((await cli.ended).code, 0);
});

test('--watch restarts the worker when a file changes, and one signal ends both', async (t) => {
  const { url, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  const cli = start(t, [...HANDLERS, '--url', url, '--watch'], { cwd });
  await cli.says('"jobs"');
  await appendFile(`${cwd}/handlers/nap.ts`, '// changed\n');
  await cli.says('nap.ts changed: restarting');
  await cli.says('"drained"');
  await cli.says('"msg":"jobs"', 2);
  cli.kill('SIGTERM');
  const { code, stdout } = await cli.ended;
  t.is(code, 0);
  t.is(lines(stdout).filter(({ msg }) => msg === 'drained').length, 2);
});

test('a worker whose --watch was killed drains and ends', async (t) => {
  const { url, queue } = await broker(t);
  const cwd = await project(t, { 'handlers/nap.ts': sleeper(queue) });
  const cli = start(t, [...HANDLERS, '--url', url, '--watch'], { cwd });
  await cli.says('"jobs"');
  cli.kill('SIGKILL');
  // Its output ends with the last process that writes to it.
  const { stdout } = await cli.ended;
  t.true(lines(stdout).some(({ msg }) => msg === 'drained'));
});
