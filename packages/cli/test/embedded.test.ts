import { connect } from 'amqplib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { freePort } from '@warren/rabbitmq-node';
import { lines, project, run, start } from './_cli.js';
import { sleeper } from './_sleeper.js';

const START = ['start', '--handlers', './handlers/*.ts'];
const QUEUE = 'naps';

interface Place {
  cwd: string;
  env: Record<string, string>;
  url: string;
}

/** A project without a broker, on a machine whose default port is another one. */
async function place(t: ExecutionContext, config: object = {}): Promise<Place> {
  const port = await freePort();
  const preload = new URL('_default-port.js', import.meta.url).href;
  const env = { NODE_OPTIONS: `--import ${preload}`, DEFAULT_PORT: String(port) };
  const files = { 'handlers/nap.ts': sleeper(QUEUE), 'worker.config.json': JSON.stringify(config) };
  return { cwd: await project(t, files), env, url: `amqp://127.0.0.1:${port}` };
}

test('worker start without a broker starts one, which plain programs and other commands find, and takes it with it', async (t) => {
  const { cwd, env, url } = await place(t);
  const cli = start(t, START, { cwd, env });
  await cli.says('"jobs"');
  const said = lines(cli.stdout).filter(({ msg }) => msg === 'embedded');
  t.is(said.length, 1);
  t.like(said[0], { url: 'amqp://localhost', joined: false });
  t.regex(String(said[0]?.['instead']), /RabbitMQ.*--url.*AMQP_URL/);

  const connection = await connect(url);
  connection.on('error', () => {});
  const channel = await connection.createChannel();
  channel.sendToQueue(QUEUE, Buffer.from('{"ms":1}'));
  await cli.says('"done"');
  t.is((await run(t, ['publish', '', QUEUE, '{"ms":1}'], { cwd, env })).code, 0);
  await cli.says('"done"', 2);
  cli.kill('SIGTERM');
  t.is((await cli.ended).code, 0);
  await t.throwsAsync(connect(url), { code: 'ECONNREFUSED' });
});

test('a second worker joins the broker of the first, and says so', async (t) => {
  const { cwd, env } = await place(t);
  const first = start(t, START, { cwd, env });
  await first.says('"jobs"');
  const second = start(t, START, { cwd, env });
  await second.says('"jobs"');
  t.like(
    lines(second.stdout).find(({ msg }) => msg === 'embedded'),
    { joined: true },
  );
  second.kill('SIGTERM');
  t.is((await second.ended).code, 0);
  t.is(first.process.exitCode, null);
});

test('in production none is started unless --embedded-broker asks for it', async (t) => {
  const { cwd, env } = await place(t, { startTimeout: 500 });
  const production = { cwd, env: { ...env, NODE_ENV: 'production' } };
  const refused = await run(t, START, production);
  t.is(refused.code, 3);
  t.regex(refused.stdout, /"no broker"/);
  t.regex(refused.stderr, /ERR_BROKER_UNREACHABLE/);
  // What is started has the time it needs.
  const patient = await place(t);
  const cli = start(t, [...START, '--embedded-broker'], { cwd: patient.cwd, env: { ...patient.env, NODE_ENV: 'production' } });
  await cli.says('"jobs"');
  cli.kill('SIGTERM');
  t.is((await cli.ended).code, 0);
});

test('a broker that was named is never replaced, and --no-embedded-broker starts none', async (t) => {
  const { cwd, env } = await place(t, { startTimeout: 500 });
  const runs: Array<[args: string[], more: Record<string, string>]> = [
    [['--url', 'amqp://localhost'], {}],
    [[], { AMQP_URL: 'amqp://localhost' }],
    [['--no-embedded-broker'], {}],
  ];
  for (const [args, more] of runs) {
    const { code, stdout } = await run(t, [...START, ...args], { cwd, env: { ...env, ...more } });
    t.is(code, 3);
    t.false(stdout.includes('"embedded"'));
  }
  const both = await run(t, [...START, '--embedded-broker', '--url', 'amqp://localhost'], { cwd, env });
  t.is(both.code, 2);
  t.regex(both.stderr, /ERR_USAGE/);
});

test('doctor says that worker start would start one, where no address is configured', async (t) => {
  const { cwd, env } = await place(t, { startTimeout: 500 });
  const { code, stdout } = await run(t, ['doctor'], { cwd, env });
  t.is(code, 1);
  t.regex(stdout, /ERR_BROKER_UNREACHABLE.*worker start would start an embedded broker/);
});

/** `worker broker`, as soon as it listens. */
async function broker(t: ExecutionContext, ...args: string[]) {
  const cli = start(t, ['broker', ...args, '--json']);
  await cli.says('"broker"');
  const { url } = lines(cli.stdout)[0] as { url: string };
  return { cli, url };
}

test('worker broker serves any client until Ctrl-C, with exit code 0', async (t) => {
  const { cli, url } = await broker(t, '--port', '0', '--management-port', '0');
  await cli.says('"management"');
  const connection = await connect(url);
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('hello');
  channel.sendToQueue('hello', Buffer.from('Hello, World!'));
  await channel.waitForConfirms();
  const managementUrl = String(lines(cli.stdout)[1]?.['url']);
  const listed = await run(t, ['queues', '--url', url, '--management-url', managementUrl], { cwd: await project(t) });
  t.regex(listed.stdout, /hello +classic +1 +0 +0/);
  cli.kill('SIGINT');
  t.is((await cli.ended).code, 0);
});

test('worker broker --data keeps what was confirmed, also when it is killed', async (t) => {
  const data = await project(t);
  const flags = ['--port', String(await freePort()), '--data', data];
  const first = await broker(t, ...flags);
  const connection = await connect(first.url);
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('kept');
  channel.sendToQueue('kept', Buffer.from('still there'), { persistent: true });
  await channel.waitForConfirms();
  first.cli.kill('SIGKILL');
  await first.cli.ended;

  const second = await broker(t, ...flags);
  const again = await connect(second.url);
  const message = await (await again.createChannel()).get('kept', { noAck: true });
  t.is(message && message.content.toString(), 'still there');
  await again.close();
});

test('a taken port, a wrong option and production are exit code 2, in one sentence', async (t) => {
  const { url } = await broker(t, '--port', '0');
  for (const [args, env, says] of [
    [['--port', new URL(url).port], {}, /ERR_BROKER_ADDRESS_IN_USE/],
    [['--port', 'many'], {}, /ERR_INVALID_OPTION/],
    [['--compat', '5.x'], {}, /ERR_USAGE/],
    [['--port', '0'], { NODE_ENV: 'production' }, /--allow-production.*ERR_BROKER_PRODUCTION/],
  ] as ReadonlyArray<readonly [string[], Record<string, string>, RegExp]>) {
    const { code, stderr } = await run(t, ['broker', ...args], { env });
    t.is(code, 2);
    t.regex(stderr, says);
    t.notRegex(stderr, /^\s+at /m);
  }
});
