// The other side of a broker test: a plain AMQP client, which sees what the broker saw.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { brokerUrl } from '@warren/test-broker';
import { connect } from 'amqplib';
import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { createWorker } from '../src/index.js';
import type { Worker, WorkerOptions } from '../src/index.js';

/** How long a broker test waits for what should come: on a busy machine a broker takes its time. */
const PATIENCE = 45_000;

/** A name of this test's own. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** A plain client's channel, and the queues and exchanges of one test, which end with it. */
export class Amqp {
  readonly channel: ConfirmChannel;
  readonly #queues: string[] = [];
  readonly #exchanges: string[] = [];

  constructor(channel: ConfirmChannel) {
    this.channel = channel;
  }

  /** A queue's name; it and its dead-letter queue are deleted when the test ends. */
  queue(prefix: string): string {
    const name = unique(prefix);
    this.#queues.push(name, `${name}.dead`);
    return name;
  }

  exchange(prefix: string): string {
    const name = unique(prefix);
    this.#exchanges.push(name);
    return name;
  }

  /** Publishes as a foreign producer would; resolves on the confirm. */
  async send(queue: string, content: Buffer | string, options: Options.Publish = {}): Promise<void> {
    await this.publish({ exchange: '', routingKey: queue }, content, options);
  }

  async publish(
    { exchange, routingKey }: { exchange: string; routingKey: string },
    content: Buffer | string,
    options: Options.Publish = {},
  ): Promise<void> {
    this.channel.publish(exchange, routingKey, Buffer.from(content), options);
    await this.channel.waitForConfirms();
  }

  /** Takes the queue's next message, waiting until there is one. */
  async take(queue: string): Promise<ConsumeMessage> {
    const consumerTag = randomUUID();
    const taken = new Promise<ConsumeMessage>((resolve, reject) => {
      const receive = (message: ConsumeMessage | null): void =>
        message ? resolve(message) : reject(new Error(`Queue "${queue}" was deleted.`));
      this.channel.consume(queue, receive, { consumerTag }).catch(reject);
    });
    const timeout = sleep(PATIENCE, undefined, { ref: false }).then(() => {
      throw new Error(`Nothing came to queue "${queue}".`);
    });
    const message = await Promise.race([taken, timeout]);
    this.channel.ack(message);
    await this.channel.cancel(consumerTag);
    return message;
  }

  /** How many messages are ready. */
  async ready(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  async end(): Promise<void> {
    for (const name of this.#queues) await this.channel.deleteQueue(name);
    for (const name of this.#exchanges) await this.channel.deleteExchange(name);
  }
}

/** A plain client of the shared broker, closed when the test ends. */
export async function amqp(t: ExecutionContext): Promise<Amqp> {
  const connection = await connect(await brokerUrl());
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(1);
  const client = new Amqp(channel);
  t.teardown(async () => {
    await client.end();
    await connection.close();
  });
  return client;
}

/** A worker on the shared broker, stopped when the test ends. */
export async function brokerWorker(t: ExecutionContext, options: WorkerOptions = {}): Promise<Worker> {
  const worker = createWorker({ url: await brokerUrl(), ...options });
  t.teardown(() => worker.stop({ deadline: 5_000 }));
  return worker;
}

/** Something that several places wait for. */
export class Signal<T = void> {
  readonly came: Promise<T>;
  give!: (value: T) => void;

  constructor() {
    this.came = new Promise((resolve) => (this.give = resolve));
  }
}

/** Waits until `holds`, looking again whenever the broker may have moved on. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('It did not come to pass.');
    await sleep(20);
  }
}
