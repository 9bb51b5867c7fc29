import { CLOCK, CODECS, CONNECTION, createContainer, DISPATCHER, EVENTS } from '../container.js';
import { milliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import type { JobType } from '../job.js';
import { HEADERS } from '../message.js';
import type { Delivery, Message, MessageProperties } from '../message.js';
import type { WorkerOptions } from '../options.js';
import type { Outcome } from '../outcome.js';
import type { Publish } from '../plugin.js';
import { Worker } from '../worker.js';
import { MemoryConnection, MemoryDelivery } from './memory-connection.js';
import { VirtualClock } from './virtual-clock.js';

/** How a delivery differs from a first one of the job's own message. */
export interface DeliverOptions extends MessageProperties {
  /** Default 1. */
  attempt?: number;
  redelivered?: boolean;
  exchange?: string;
  routingKey?: string;
  /** The body, in place of the payload as the job's codec encodes it. */
  content?: Buffer;
}

/** A worker without a broker: handlers run through their real chain, on a virtual clock, and what is published is kept. */
export class TestWorker extends Worker {
  readonly connection: MemoryConnection;
  readonly clock: VirtualClock;
  /** What was published, as it came to the publish chain, oldest first. */
  readonly published: Message[];
  /** The delivery that `deliver` or `advance` made last. */
  lastDelivery: MemoryDelivery | undefined;
  #delivered = 0;
  #outcomes: Outcome[] = [];
  #started: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    const container = createContainer(options.container);
    const connection = new MemoryConnection();
    const clock = new VirtualClock();
    const published: Message[] = [];
    container.register(CONNECTION, { useValue: connection });
    container.register(CLOCK, { useValue: clock });
    const recorder = {
      name: 'recorder',
      publish:
        (next: Publish): Publish =>
        (message) =>
          this.#record(message, next),
    };
    super({ ...options, container, plugins: [recorder, ...(options.plugins ?? [])] });
    this.connection = connection;
    this.clock = clock;
    this.published = published;
    const events = this.resolve(EVENTS);
    connection.onConnect = () =>
      events.emit('connected', { url: 'memory', version: connection.capabilities.version, reconnected: false });
  }

  /** What left the publish chain for the broker, oldest first. */
  get sent(): Message[] {
    return this.connection.sent;
  }

  override start(): Promise<void> {
    return (this.#started ??= super.start());
  }

  /** Runs a job's handler through its real chain, and says how it ended. Starts the worker first. A payload that the schema refuses is dead-lettered, as in life. */
  async deliver<P, I>(job: JobType<P, I>, payload: I, options: DeliverOptions = {}): Promise<Outcome> {
    await this.start();
    const {
      attempt = 1,
      redelivered = false,
      exchange = job.exchange,
      routingKey = job.routingKey,
      content,
      ...properties
    } = options;
    const codec = this.resolve(CODECS).get(job.codec);
    const headers = { ...properties.headers, ...(attempt > 1 && { [HEADERS.attempt]: attempt }) };
    return this.#deliver({
      queue: job.queue.name,
      exchange,
      routingKey,
      redelivered,
      content: content ?? codec.encode(payload),
      properties: {
        type: job.name,
        messageId: `test-${++this.#delivered}`,
        contentType: codec.contentType,
        ...properties,
        headers,
      },
    });
  }

  /** Lets time pass: runs timers, and delivers the published jobs that come due. Returns how those ended. */
  async advance(duration: Duration): Promise<Outcome[]> {
    await this.start();
    this.#outcomes = [];
    await this.clock.advance(milliseconds(duration));
    return this.#outcomes;
  }

  async #deliver(facts: Omit<Delivery, 'lost' | 'ack' | 'requeue' | 'reject'>): Promise<Outcome> {
    this.lastDelivery = new MemoryDelivery(facts);
    return this.resolve(DISPATCHER).deliver(this.lastDelivery);
  }

  async #record(message: Message, next: Publish): Promise<void> {
    await next(message);
    this.published.push(message);
    const queue = this.#queueOf(message);
    if (queue === undefined) return;
    const { exchange, routingKey } = message;
    // With what plugins have added to it on the way.
    const { content, properties } = this.sent.findLast((sent) => isSame(sent, message)) ?? message;
    this.clock.schedule(waitOf(message, this.clock.now()), () => {
      void this.#deliver({ queue, exchange, routingKey, redelivered: false, content, properties }).then((outcome) =>
        this.#outcomes.push(outcome),
      );
    });
  }

  /** The handlers' queue that a message goes to: by its name, as copies do, or as its job is published. */
  #queueOf({ exchange, routingKey, properties: { type } }: Message): string | undefined {
    const found = this.definitions.find(({ job }) =>
      exchange === ''
        ? job.queue.name === routingKey
        : job.name === type && job.exchange === exchange && job.routingKey === routingKey,
    );
    return found?.job.queue.name;
  }
}

function isSame(one: Message, other: Message): boolean {
  return one.properties.messageId === other.properties.messageId;
}

/** Milliseconds that a message was asked to wait: the options of @warren/plugin-delay. */
function waitOf({ options }: Message, now: number): number {
  const { delay, at } = options as { delay?: Duration; at?: Date };
  if (at) return Math.max(0, at.getTime() - now);
  return delay === undefined ? 0 : milliseconds(delay, 'delay');
}

/** Makes a worker that needs no broker. Takes what `createWorker` takes. */
export function createTestWorker(options: WorkerOptions = {}): TestWorker {
  return new TestWorker(options);
}
