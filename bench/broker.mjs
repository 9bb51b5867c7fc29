// @warren/broker beside RabbitMQ on this machine: the same client, the same work, in turns. Prints medians and their ratio.
// node bench/broker.mjs [--rounds 5] [--count 20000] [--only startTimes|lateness|throughput|memory]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBroker } from '@warren/broker';
import { startRabbit } from '@warren/rabbitmq-node';
import { connect } from 'amqplib';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    count: { type: 'string', default: '20000' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(values.rounds);
const WINDOW = 500;

async function startOurs(data) {
  const child = fork(fileURLToPath(new URL('./_broker-process.mjs', import.meta.url)), [JSON.stringify({ data })]);
  const [{ url, milliseconds }] = await once(child, 'message');
  return { url, pid: child.pid, milliseconds, stop: () => child.disconnect() };
}

/** Publishes with confirms, at most WINDOW at a time. Resolves to messages per second. */
async function publish(channel, queue, { count, size, persistent }) {
  const body = Buffer.alloc(size);
  const start = performance.now();
  await new Promise((resolve) => {
    let [sent, confirmed] = [0, 0];
    const more = () => {
      while (sent < count && sent - confirmed < WINDOW) {
        sent++;
        channel.sendToQueue(queue, body, { persistent }, () => {
          if (++confirmed === count) resolve();
          else more();
        });
      }
    };
    more();
  });
  return perSecond(count, start);
}

/** Consumes what is there, with acks. Resolves to messages per second. */
async function consume(connection, queue, { count, prefetch }) {
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  const start = performance.now();
  let left = count;
  await new Promise((resolve) => {
    void channel.consume(queue, (message) => {
      // What was prefetched beyond the count goes back when the channel closes.
      if (left === 0) return;
      channel.ack(message);
      if (--left === 0) resolve();
    });
  });
  await channel.close();
  return perSecond(count, start);
}

const perSecond = (count, start) => (count / (performance.now() - start)) * 1000;

/** One round of one kind of queue against one broker: figures by name. */
async function measure(url, { size, durable }) {
  const count = size > 1000 ? Number(values.count) / 10 : Number(values.count);
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue(`bench.${Math.random()}`, { durable, autoDelete: false });
  const kind = `${durable ? 'durable' : 'transient'}, ${size} B`;
  const figures = { [`publish, ${kind}`]: await publish(channel, queue, { count, size, persistent: durable }) };
  const slow = Math.min(Math.floor(count / 3), 6000);
  figures[`consume, prefetch 100, ${kind}`] = await consume(connection, queue, { count: count - slow, prefetch: 100 });
  figures[`consume, prefetch 1, ${kind}`] = await consume(connection, queue, { count: slow, prefetch: 1 });
  await channel.deleteQueue(queue);
  await connection.close();
  return figures;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function throughput(ours, rabbit) {
  const results = new Map();
  const kinds = [256, 65_536].flatMap((size) => [false, true].map((durable) => ({ size, durable })));
  for (let round = 0; round <= rounds; round++) {
    for (const kind of kinds) {
      for (const [who, url] of round % 2
        ? [
            ['warren', ours.url],
            ['rabbit', rabbit.url],
          ]
        : [
            ['rabbit', rabbit.url],
            ['warren', ours.url],
          ]) {
        for (const [name, figure] of Object.entries(await measure(url, kind))) {
          const row = results.get(name) ?? { warren: [], rabbit: [] };
          // The first round warms both up.
          if (round > 0) row[who].push(figure);
          results.set(name, row);
        }
      }
    }
  }
  console.log(`messages per second, median of ${rounds}`.padEnd(48), '  Warren', 'RabbitMQ', ' ratio');
  for (const [name, { warren, rabbit }] of results) {
    const [a, b] = [median(warren), median(rabbit)];
    console.log(name.padEnd(48), a.toFixed(0).padStart(8), b.toFixed(0).padStart(8), (a / b).toFixed(2).padStart(6));
  }
}

const megabytes = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function memory(ours, rabbit) {
  for (const [name, { url, pid }] of Object.entries({ Warren: ours, RabbitMQ: rabbit })) {
    const connection = await connect(url, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('bench.million', { durable: false });
    const before = await megabytes(pid);
    await publish(channel, 'bench.million', { count: 1_000_000, size: 256, persistent: false });
    const after = await megabytes(pid);
    console.log(
      `a million messages of 256 B in ${name}: ${after.toFixed(0)} MB resident, ${(after - before).toFixed(0)} MB more than before`,
    );
    await channel.deleteQueue('bench.million');
    await connection.close();
  }
}

/** How late messages with a TTL of 100 to 600 ms arrive while this program's event loop is busy for 200 of every 250 ms. */
async function lateness() {
  const broker = await startBroker({ port: 0 });
  const client = fork(fileURLToPath(new URL('./_ttl-client.mjs', import.meta.url)), [broker.url]);
  const busy = setInterval(() => {
    for (const until = performance.now() + 200; performance.now() < until;);
  }, 250);
  const [late] = await once(client, 'message');
  clearInterval(busy);
  await broker.close();
  const at = (share) => late.toSorted((a, b) => a - b)[Math.floor(share * late.length)].toFixed(1);
  console.log(`TTL lateness of ${late.length} messages, event loop 80 % busy: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

async function startTimes() {
  const times = [];
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    const broker = await startBroker({ port: 0 });
    times.push(performance.now() - start);
    await broker.close();
  }
  console.log(
    `ready in a thread: median ${median(times).toFixed(0)} ms, longest ${Math.max(...times).toFixed(0)} ms of ${times.length}`,
  );
}

const data = await mkdtemp(join(tmpdir(), 'bench-broker-'));
const ours = await startOurs(data);
const rabbit = await startRabbit();
try {
  const all = { startTimes, lateness, throughput: () => throughput(ours, rabbit), memory: () => memory(ours, rabbit) };
  for (const [name, run] of Object.entries(all)) if (name.includes(values.only)) await run();
} finally {
  ours.stop();
  await rabbit[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
}
