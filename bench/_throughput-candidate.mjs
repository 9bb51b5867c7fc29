// One candidate of throughput.mjs, in a process of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { createWorker, defineJob } from '@warren/core';
import spool from '@warren/plugin-spool';

const [task, candidate, url, count] = process.argv.slice(2);
const messages = Number(count);
const PREFETCH = 100;
const WINDOW = 500;
const payload = { text: 'x'.repeat(256 - '{"text":""}'.length) };
const body = Buffer.from(JSON.stringify(payload));
const queue = { name: `bench-${process.pid}`, type: 'classic', deadLetter: false };
const job = defineJob('bench', { queue });

/** Fills the queue, unmeasured. */
async function fill(number) {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue.name, { durable: true });
  for (let i = 0; i < number; i++) {
    channel.sendToQueue(queue.name, body, {
      persistent: true,
      type: 'bench',
      contentType: 'application/json',
      messageId: String(i),
    });
    if (i % 5_000 === 0) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await connection.close();
}

async function measure(work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 };
}

/** A handler that resolves `all` at the last message. */
function counter(number) {
  let left = number;
  let end;
  const all = new Promise((resolve) => (end = resolve));
  return { all, count: () => --left === 0 && end() };
}

async function consumeWithWarren() {
  await fill(messages);
  const { all, count } = counter(messages);
  const worker = createWorker({ url, prefetch: PREFETCH });
  worker.handle(job, async () => {
    count();
  });
  const result = await measure(async () => {
    await worker.start();
    await all;
  });
  await worker.stop();
  return result;
}

/** `acknowledge(channel, message)` for each message; both decode and await a handler, as Warren does. */
async function consumeWithAmqplib(acknowledge) {
  await fill(messages);
  const { all, count } = counter(messages);
  const handler = async () => {
    count();
  };
  let connection;
  const result = await measure(async () => {
    connection = await connect(url, { noDelay: true });
    const channel = await connection.createChannel();
    await channel.prefetch(PREFETCH);
    const take = async (message) => {
      await handler(JSON.parse(message.content.toString()));
      acknowledge(channel, message);
    };
    await channel.consume(queue.name, (message) => void take(message));
    await all;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await connection.close();
  return result;
}

let last;
function oncePerTurn(channel, message) {
  if (!last) {
    setImmediate(() => {
      channel.ack(last, true);
      last = undefined;
    });
  }
  last = message;
}

/** Publishes all messages, at most `WINDOW` unconfirmed. */
async function windowed(publish) {
  let next = 0;
  await Promise.all(
    Array.from({ length: WINDOW }, async () => {
      while (next++ < messages) await publish();
    }),
  );
}

async function publishWithWarren(plugins = []) {
  const worker = createWorker({ url, plugins });
  await worker.start();
  await worker.publish(job, payload);
  const result = await measure(() => windowed(() => worker.publish(job, payload)));
  await worker.stop();
  return result;
}

async function publishWithSpool() {
  const folder = await mkdtemp(join(tmpdir(), 'warren-bench-'));
  const result = await publishWithWarren([spool({ store: `lmdb:${folder}` })]);
  await rm(folder, { recursive: true });
  return result;
}

async function publishWithAmqplib() {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue.name, { durable: true });
  const publish = () =>
    new Promise((resolve, reject) => {
      const options = {
        persistent: true,
        mandatory: true,
        type: 'bench',
        contentType: 'application/json',
        messageId: crypto.randomUUID(),
      };
      channel.sendToQueue(queue.name, Buffer.from(JSON.stringify(payload)), options, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  const result = await measure(() => windowed(publish));
  await connection.close();
  return result;
}

/** A million messages through one worker; the heap after every hundred thousand, garbage collected. */
async function memory() {
  const total = 1_000_000;
  const heaps = [];
  const worker = createWorker({ url, prefetch: PREFETCH });
  const { all, count } = counter(total);
  let seen = 0;
  worker.handle(job, async () => {
    if (++seen % 100_000 === 0) {
      globalThis.gc();
      heaps.push(process.memoryUsage().heapUsed);
    }
    count();
  });
  await worker.start();
  let next = 0;
  await Promise.all(
    Array.from({ length: WINDOW }, async () => {
      while (next++ < total) await worker.publish(job, payload);
    }),
  );
  await all;
  await worker.stop();
  return { heaps };
}

const TASKS = {
  'consume warren': consumeWithWarren,
  'consume amqplib, one ack per turn': () => consumeWithAmqplib(oncePerTurn),
  'consume amqplib, ack each': () => consumeWithAmqplib((channel, message) => channel.ack(message)),
  'publish warren': () => publishWithWarren(),
  'publish warren with a spool': publishWithSpool,
  'publish amqplib, confirm channel': publishWithAmqplib,
  'memory warren': memory,
};

const result = await TASKS[`${task} ${candidate}`]();
const cleaner = await connect(url);
await (await cleaner.createChannel()).deleteQueue(queue.name);
await cleaner.close();
process.send(result);
