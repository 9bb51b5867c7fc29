// How exact delayed messages are on RabbitMQ: node bench/delay.mjs [--quick]
//
// Each row publishes through a worker with plugin-delay on a private node, and consumes in the same process. Late is the arrival minus
// the moment before publish() and the delay, on one monotonic clock; below zero is early. --quick: a tenth of the messages.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { createWorker, defineJob } from '@warren/core';
import delay from '@warren/plugin-delay';
import { startRabbit } from '@warren/rabbitmq-node';

const SCALE = process.argv.includes('--quick') ? 0.1 : 1;
/** Milliseconds without an arrival, and past the last due time, after which the rest is lost: a level that cannot forward tries again after 180 s. */
const PATIENCE = 200_000;
/** The first message binds its queue: it is not measured. */
const WARM_UP = -1;

class Lateness {
  #due = new Map();
  #late = [];
  #duplicates = 0;
  #last = 0;

  publishing(id, ms) {
    this.#due.set(id, performance.now() + ms);
  }

  arrived(id) {
    const now = (this.#last = performance.now());
    const due = this.#due.get(id);
    if (due === undefined) this.#duplicates++;
    else this.#late.push(now - due);
    this.#due.delete(id);
  }

  async settled() {
    const due = Math.max(performance.now(), ...this.#due.values());
    while (this.#due.size > 0 && performance.now() < Math.max(due, this.#last) + PATIENCE) await sleep(20);
  }

  row() {
    const late = this.#late.toSorted((a, b) => a - b);
    const at = (share) => Number(late[Math.min(late.length - 1, Math.floor(late.length * share))]?.toFixed(1));
    const early = late.filter((ms) => ms < 0).length;
    const figures = { p50: at(0.5), p99: at(0.99), max: at(1), early, lost: this.#due.size, duplicates: this.#duplicates };
    return { messages: late.length, ...figures };
  }
}

/** Calls `publish` for each delay, `rate` times a second; without a rate as fast as it can. */
async function paced(delays, rate, publish) {
  const start = performance.now();
  const confirmed = [];
  for (const [id, ms] of delays.entries()) {
    if (rate) while (performance.now() < start + (id * 1_000) / rate) await sleep(1);
    confirmed.push(publish(id, ms));
    if (!rate && id % 500 === 499) await sleep(0);
  }
  await Promise.all(confirmed);
}

async function withPlugin(url, { delays, rate }) {
  const lateness = new Lateness();
  const job = defineJob('bench', { queue: `bench-delay-${process.pid}-${Math.random()}` });
  const worker = createWorker({ url, prefetch: 1_000, plugins: [delay()] });
  worker.handle(job, ({ payload: id }) => id !== WARM_UP && lateness.arrived(id));
  await worker.start();
  await worker.publish(job, WARM_UP, { delay: 1 });
  await sleep(500);
  await paced(delays, rate, (id, ms) => {
    lateness.publishing(id, ms);
    return worker.publish(job, id, ms > 0 ? { delay: ms } : {});
  });
  await lateness.settled();
  await worker.stop();
  return lateness.row();
}

/** What everyone tries first: one queue without consumers, a TTL in each message, the work queue behind it. */
async function naive(url, { delays, rate }) {
  const lateness = new Lateness();
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const work = (await channel.assertQueue('bench-naive-work')).queue;
  const options = { deadLetterExchange: '', deadLetterRoutingKey: work };
  const wait = (await channel.assertQueue('bench-naive-wait', options)).queue;
  await channel.consume(work, (message) => lateness.arrived(Number(message.content)), { noAck: true });
  await paced(delays, rate, (id, ms) => {
    lateness.publishing(id, ms);
    return new Promise((resolve, reject) => {
      const properties = { persistent: true, expiration: String(ms) };
      channel.sendToQueue(wait, Buffer.from(String(id)), properties, (error) => (error ? reject(error) : resolve()));
    });
  });
  await lateness.settled();
  await connection.close();
  return lateness.row();
}

const count = (full) => Math.round(full * SCALE);
const random = (length, max) => Array.from({ length }, () => Math.floor(Math.random() * max));
const oneHop = (length) => Array.from({ length }, () => (1 + Math.floor(Math.random() * 9)) * 1_000);

const rows = {
  'not delayed, 250/s': [withPlugin, { delays: Array(count(2_000)).fill(0), rate: 250 }],
  'random 0-20 s, 250/s': [withPlugin, { delays: random(count(10_000), 20_000), rate: 250 }],
  'random 0-20 s, burst': [withPlugin, { delays: random(count(10_000), 20_000) }],
  'whole 1-9 s, 500/s': [withPlugin, { delays: oneHop(count(10_000)), rate: 500 }],
  'one queue, TTL per message, 250/s': [naive, { delays: random(count(5_000), 20_000), rate: 250 }],
};

const node = await startRabbit();
try {
  const table = {};
  for (const [name, [run, load]] of Object.entries(rows)) table[name] = await run(node.url, load);
  console.log('Milliseconds late, one RabbitMQ node, quorum queues, persistent and confirmed:');
  console.table(table);
} finally {
  await node.stop();
}
