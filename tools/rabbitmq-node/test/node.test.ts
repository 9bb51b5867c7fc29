import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import anyTest from 'ava';
import { type RabbitNode, startRabbit, withOwnRabbit } from '../src/index.js';
import { accepts } from '../src/ports.js';
import type { Started } from './_starter.js';
import { dial, received } from './_tcp.js';

const test = withOwnRabbit(anyTest.serial);
const AMQP_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

// One node for the tests that leave it as it was: a start takes seconds.
let started: Promise<RabbitNode> | undefined;
function sharedNode(): Promise<RabbitNode> {
  started ??= startRabbit({ management: true, config: { heartbeat: 7 } });
  return started;
}
anyTest.after.always(async () => {
  const node = await started;
  await node?.[Symbol.asyncDispose]();
});

async function publish(url: string, queue: string, content: string): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });
  channel.sendToQueue(queue, Buffer.from(content), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

async function take(url: string, queue: string): Promise<string | undefined> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const message = await channel.get(queue, { noAck: true });
  await connection.close();
  return message ? message.content.toString() : undefined;
}

test('A confirmed message outlives kill -9.', async (t) => {
  await using node = await startRabbit();
  await publish(node.url, 'durable', 'kept');
  const first = node.pid;
  await node.kill();
  t.throws(() => process.kill(first, 0), { code: 'ESRCH' });
  await t.throwsAsync(dial(t, node.port), { code: 'ECONNREFUSED' });
  await node.start();
  t.not(node.pid, first);
  t.is(await take(node.url, 'durable'), 'kept');
});

test('Nodes of the same name run side by side, and the end of one does not touch the other.', async (t) => {
  const node = await sharedNode();
  await using twin = await startRabbit();
  await publish(twin.url, 'here', 'x');
  t.is(await node.ctl('list_queues', '--silent', 'name'), '');
  await Promise.all([twin.stop(), twin.stop()]);
  await twin.stop();
  t.throws(() => twin.freeze(), { code: 'ERR_RABBITMQ_NOT_RUNNING' });
  t.is(await node.eval('node().'), 'rabbit@localhost');
});

test('A frozen node keeps its port open and answers only when it is thawed.', async (t) => {
  const node = await sharedNode();
  node.freeze();
  const socket = await dial(t, node.port);
  socket.write(AMQP_HEADER);
  const answer = received(socket);
  t.is(await Promise.race([answer, sleep(300, 'nothing')]), 'nothing');
  node.thaw();
  t.regex(await answer, /RabbitMQ/);
});

test('The broker closes all connections on request, with the reason.', async (t) => {
  const node = await sharedNode();
  const connection = await connect(node.url);
  const closed = once(connection, 'close');
  await node.closeConnections('maintenance');
  const [error]: unknown[] = await closed;
  t.regex(String(error), /320.*maintenance/);
});

test('The management plugin and more configuration are there when they are asked for.', async (t) => {
  const node = await sharedNode();
  const { origin, username, password } = new URL(node.managementUrl ?? '');
  const headers = { authorization: `Basic ${btoa(`${username}:${password}`)}` };
  t.is((await fetch(`${origin}/api/overview`, { headers })).status, 200);
  t.is(await node.eval('application:get_env(rabbit, heartbeat).'), '{ok,7}');
});

test('rabbitmqctl and eval reject with what they print as an error.', async (t) => {
  const node = await sharedNode();
  await t.throwsAsync(node.ctl('delete_queue', 'no-such-queue'), { code: 'ERR_RABBITMQ_CTL', message: /no-such-queue/ });
  await t.throwsAsync(node.eval('no syntax'), { code: 'ERR_RABBITMQ_CTL', message: /syntax/ });
});

test('A boot that fails says why and leaves nothing behind but the given directory.', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'rabbitmq-test-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const start = startRabbit({ directory, config: { 'no.such.key': 1 } });
  await t.throwsAsync(start, { code: 'ERR_RABBITMQ_START', message: /unknown variable: no\.such\.key/ });
  t.true(existsSync(join(directory, 'rabbitmq.conf')));
});

test('A port that is taken is an error before anything is started.', async (t) => {
  const { port } = await sharedNode();
  await t.throwsAsync(startRabbit({ port }), { code: 'ERR_RABBITMQ_START', message: /already in use/ });
});

test('A node and its folder end with a process that is killed.', async (t) => {
  const starter = fork(new URL('_starter.js', import.meta.url));
  t.teardown(() => starter.kill('SIGKILL'));
  const { port, folder } = await new Promise<Started>((resolve) => {
    starter.once('message', (message: Started) => resolve(message));
  });
  await dial(t, port);
  starter.kill('SIGKILL');
  while (existsSync(folder) || (await accepts(port))) await sleep(50);
  t.pass(); // waits until AVA's timeout otherwise
});
