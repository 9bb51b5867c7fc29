import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ConsumeMessage } from 'amqplib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { freshBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { dots, newTask, work } from './work-queues.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const DONE = /^Done /;

test('a task takes a second of work for each of its dots', async (t) => {
  const { url } = await freshBroker(t);
  const printed = new Recorder<[line: string, at: number]>();
  await using worker = work({ url, print: (line) => printed.add([line, performance.now()]), second: 50 });
  await worker.start();
  await newTask(url, 'Hello...');
  const [[received, start] = [], [done, end] = []] = await printed.first(2);
  t.deepEqual([received, done], ['Received Hello...', 'Done Hello...']);
  t.true(Number(end) - Number(start) >= 3 * 50 - 2);
});

test('a plain program and the framework share the queue, in both directions', async (t) => {
  const { url } = await freshBroker(t);
  const channel = await plainChannel(t, url);
  await channel.assertQueue('task_queue', { durable: true });
  channel.sendToQueue('task_queue', Buffer.from('任务.'), { persistent: true });
  const printed = new Recorder<string>();
  const worker = work({ url, print: printed.add, second: 1 });
  await worker.start();
  t.deepEqual(await printed.first(2), ['Received 任务.', 'Done 任务.']);
  await worker.stop();
  await newTask(url, '任务..');
  const received = new Recorder<ConsumeMessage | null>();
  await channel.consume('task_queue', received.add, { noAck: true });
  const [message] = await received.first(1);
  t.is(message?.content.toString(), '任务..');
  t.is(message?.properties.deliveryMode, 2);
});

test('without prefetch two workers get the tasks in turn: 1, 3, 5 and 2, 4', async (t) => {
  const { url } = await freshBroker(t);
  const [one, two] = [new Recorder<string>(), new Recorder<string>()];
  await using first = work({ url, print: one.add, prefetch: 0, second: 1 });
  await using second = work({ url, print: two.add, prefetch: 0, second: 1 });
  await first.start();
  await second.start();
  await newTask(url, '1.', '2..', '3...', '4....', '5.....');
  await Promise.all([one.first(6), two.first(4)]);
  t.deepEqual(tasksDone(one.all), ['1.', '3...', '5.....']);
  t.deepEqual(tasksDone(two.all), ['2..', '4....']);
});

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`a worker that dies of ${signal} in the middle of a task loses nothing: another gets it`, async (t) => {
    const { url } = await freshBroker(t);
    const { child, printed } = workerProcess(t, url);
    await printed.first(1);
    await newTask(url, 'A long task.');
    t.is((await printed.first(2))[1], 'Received A long task.');
    const other = new Recorder<string>();
    await using worker = work({ url, print: other.add, second: 1 });
    await worker.start();
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    t.deepEqual(await other.first(2), ['Received A long task. (redelivered)', 'Done A long task.']);
    t.is(printed.all.length, 2, 'the dead worker has not finished it');
  });
}

test('a forgotten ack stays on the queue; a handler cannot forget it', async (t) => {
  const broker = await freshBroker(t);
  const { url } = broker;
  await newTask(url, 'forgotten.');
  const channel = await plainChannel(t, url);
  const received = new Recorder<ConsumeMessage | null>();
  await channel.consume('task_queue', received.add);
  await received.first(1);
  t.deepEqual(await broker.counts('task_queue'), { ready: 0, unacked: 1 });
  await channel.close();

  const printed = new Recorder<string>();
  const worker = work({ url, print: printed.add, second: 1 });
  await worker.start();
  t.deepEqual(await printed.first(2), ['Received forgotten. (redelivered)', 'Done forgotten.']);
  await worker.stop();
  t.deepEqual(await broker.counts('task_queue'), { ready: 0, unacked: 0 });
});

test('with prefetch 1 the idle worker takes the next task', async (t) => {
  const { url } = await freshBroker(t);
  const second = 500;
  const printed = new Recorder<string>();
  await using first = work({ url, print: printed.add, second });
  await using other = work({ url, print: printed.add, second });
  await first.start();
  await other.start();
  const tasks = Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? `heavy ${index}.....` : `light ${index}.`));
  const started = performance.now();
  await newTask(url, ...tasks);
  await printed.first(2 * tasks.length);
  const took = (performance.now() - started) / second;

  const [optimum, heavy] = [load(tasks) / 2, load(tasks.filter((task) => task.startsWith('heavy')))];
  t.true(took >= optimum - 0.1, `two workers need ${optimum}, and it took ${took}`);
  t.true(took < (optimum + heavy) / 2, `all took ${took}: nearer the optimum of ${optimum} than the heavy worker's ${heavy}`);
});

function tasksDone(lines: readonly string[]): string[] {
  return lines.filter((line) => DONE.test(line)).map((line) => line.replace(DONE, ''));
}

function load(tasks: readonly string[]): number {
  return tasks.reduce((sum, task) => sum + dots(task), 0);
}

/** A worker in a process of its own, whose tasks take a minute for each dot. */
function workerProcess(t: ExecutionContext, url: string): { child: ChildProcess; printed: Recorder<string> } {
  const child = fork(MAIN, ['worker', '1', '60000'], { env: { ...process.env, AMQP_URL: url }, silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const printed = new Recorder<string>();
  if (child.stdout) createInterface(child.stdout).on('line', printed.add);
  return { child, printed };
}
