import { setMaxListeners } from 'node:events';
import { assemble } from './assembly.js';
import type { Assembly } from './assembly.js';
import { requireWhole } from './checks.js';
import { SystemClock } from './clock.js';
import type { Clock } from './clock.js';
import { CodecRegistry } from './codec.js';
import type { Consumer } from './connection.js';
import { CLOCK, CODECS, createContainer, EVENTS, LOGGER, registerDefault, STOPPING, TOPOLOGY } from './container.js';
import type { DependencyContainer, Token } from './container.js';
import { DuplicateHandlerError, WorkerStateError } from './errors.js';
import { WorkerEvents } from './events.js';
import type { WorkerEventMap } from './events.js';
import type { Handler, HandlerDefinition } from './handler.js';
import { requireJobType } from './job.js';
import type { JobType, OutgoingMessage } from './job.js';
import { silentLogger } from './logger.js';
import { requireHandling, settingsOf } from './options.js';
import type { HandlerOptions, PublishOptions, Settings, WorkerOptions } from './options.js';
import type { Plugin } from './plugin.js';
import type { Publisher } from './publisher.js';
import { Topology } from './topology.js';

export interface StopOptions {
  /** Milliseconds until `stop()` ends, whatever happens. Default 25 000. */
  deadline?: number;
}

export interface StopResult {
  /** False where something was unfinished at the deadline: a job, a publish without its confirm, or a broker that did not answer. */
  readonly drained: boolean;
  /** Jobs that were still running; they were given back, uncharged. */
  readonly abandoned: number;
}

type State = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Of a stop's deadline, the part kept for giving back and closing. */
const closingTime = (deadline: number): number => Math.min(1_000, deadline / 4);

/** Consumes queues, runs handlers, publishes. Made by `createWorker`. */
export class Worker implements AsyncDisposable {
  /** The worker's own: all services of core and of the plugins, by token. */
  readonly container: DependencyContainer;
  readonly #settings: Settings;
  protected readonly definitions: HandlerDefinition[] = [];
  readonly #stopping = new AbortController();
  readonly #events: WorkerEvents;
  readonly #clock: Clock;
  #state: State = 'new';
  readonly #consumers: Consumer[] = [];
  #assembly: Assembly | undefined;
  #stopped: Promise<StopResult> | undefined;

  constructor(options: WorkerOptions) {
    this.#settings = settingsOf(options);
    this.container = createContainer(options.container);
    registerDefault(this.container, LOGGER, options.logger ?? silentLogger);
    registerDefault(this.container, CLOCK, new SystemClock());
    registerDefault(this.container, CODECS, new CodecRegistry());
    this.container.register(EVENTS, { useValue: new WorkerEvents() });
    this.container.register(TOPOLOGY, { useValue: new Topology() });
    this.container.register(STOPPING, { useValue: this.#stopping.signal });
    // Every handler listens.
    setMaxListeners(0, this.#stopping.signal);
    this.#events = this.container.resolve(EVENTS);
    this.#clock = this.container.resolve(CLOCK);
    // What is no plugin is refused at start.
    for (const plugin of this.#settings.plugins) (plugin as Plugin | undefined)?.extend?.(this);
  }

  get state(): State {
    return this.#state;
  }

  /** Says who handles a job: a function, or a class that the container resolves. Before `start()`. */
  handle<P, I>(job: JobType<P, I>, handler: Handler<P>, given: HandlerOptions = {}): this {
    this.#require('register a handler', ['new'], 'Register handlers before start().');
    requireJobType(job, 'handle');
    const queue = job.queue.name;
    if (this.definitions.some((other) => other.job.name === job.name && other.job.queue.name === queue)) {
      throw new DuplicateHandlerError({ job: job.name, queue });
    }
    const options = { ...job.handling, ...given };
    requireHandling(options);
    this.definitions.push({ job, handler, options } as unknown as HandlerDefinition);
    return this;
  }

  /** Connects, declares, starts the plugins and consumes. Rejects where the configuration is wrong or the broker refuses; then nothing is left behind. */
  async start(): Promise<void> {
    this.#require('start', ['new'], 'A worker starts once: make another.');
    this.#state = 'starting';
    try {
      await this.#start();
      this.#state = 'running';
    } catch (error) {
      const stopped = this.#stopping.signal.aborted;
      await this.stop({ deadline: 2_000 });
      throw stopped
        ? new WorkerStateError({ action: 'start', state: this.#state, advice: 'stop() was called meanwhile.' })
        : error;
    }
  }

  /** Publishes a job; resolves when the broker has confirmed it, rejects with a typed error otherwise. */
  async publish<P, I>(job: JobType<P, I>, payload: I, options?: PublishOptions): Promise<void> {
    return this.#publisher('publish').publish(job, payload, options);
  }

  /** Publishes any message; resolves when the broker has confirmed it. */
  async send(message: OutgoingMessage): Promise<void> {
    return this.#publisher('send').send(message);
  }

  /** Stops taking, lets what runs finish, closes. At the deadline aborts `job.signal` and gives back what is left, uncharged. */
  stop({ deadline = 25_000 }: StopOptions = {}): Promise<StopResult> {
    requireWhole('deadline', deadline, { min: 0 });
    return (this.#stopped ??= this.#stop(deadline));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** A service by its token: core's or a plugin's. */
  resolve<T>(name: Token<T>): T {
    return this.container.resolve(name);
  }

  on<E extends keyof WorkerEventMap>(event: E, listener: (...args: WorkerEventMap[E]) => void): this {
    (this.#events as NodeJS.EventEmitter).on(event, listener);
    return this;
  }

  off<E extends keyof WorkerEventMap>(event: E, listener: (...args: WorkerEventMap[E]) => void): this {
    (this.#events as NodeJS.EventEmitter).off(event, listener);
    return this;
  }

  async #start(): Promise<void> {
    const assembly = assemble({ settings: this.#settings, definitions: this.definitions, container: this.container });
    this.#assembly = assembly;
    const { connection, dispatcher, registry, topology } = assembly;
    await connection.connect();
    await connection.declare(topology);
    await registry.start(this.container);
    for (const options of assembly.consumers) {
      this.#stopping.signal.throwIfAborted();
      const consumer = await connection.consume(options, (delivery) => void dispatcher.deliver(delivery));
      this.#consumers.push(consumer);
      // A stop that came meanwhile has not seen it: what it gives back would come again at once.
      if (this.#stopping.signal.aborted) await consumer.cancel();
    }
    this.#stopping.signal.throwIfAborted();
  }

  /** First no new work, then the work in hand, then the plugins, last the connection: each needs what comes after it. */
  async #stop(deadline: number): Promise<StopResult> {
    const assembly = this.#assembly;
    this.#state = 'stopping';
    this.#stopping.abort();
    if (!assembly) return this.#ended({ drained: true, abandoned: 0 });
    const { connection, dispatcher, registry } = assembly;
    dispatcher.stop();
    const closing = closingTime(deadline);
    const drained = await this.#within(deadline - closing, this.#drain(assembly));
    const abandoned = drained ? 0 : dispatcher.abandon();
    await this.#within(closing / 2, registry.stop(this.container));
    await connection.close(closing / 2);
    return this.#ended({ drained, abandoned });
  }

  async #drain({ connection, dispatcher }: Assembly): Promise<void> {
    await Promise.allSettled(this.#consumers.map((consumer) => consumer.cancel()));
    await dispatcher.idle();
    await connection.confirmed();
  }

  /** Whether `work` ended within `ms` milliseconds. What goes wrong in it is logged: a stop goes on. */
  async #within(ms: number, work: Promise<void>): Promise<boolean> {
    const ended = new AbortController();
    const logged = work.catch((error: unknown) => this.container.resolve(LOGGER).error({ err: error }, 'stopping'));
    const timedOut = this.#clock.sleep(ms, ended.signal);
    const inTime = await Promise.race([logged.then(() => true), timedOut.then(() => false)]);
    ended.abort();
    return inTime;
  }

  #ended(result: StopResult): StopResult {
    this.#state = 'stopped';
    return result;
  }

  #require(action: string, states: readonly State[], advice: string): void {
    if (!states.includes(this.#state)) throw new WorkerStateError({ action, state: this.#state, advice });
  }

  #publisher(action: string): Publisher {
    this.#require(action, ['starting', 'running', 'stopping'], 'Publish after start() and before stop() has ended.');
    if (!this.#assembly) throw new WorkerStateError({ action, state: this.#state, advice: 'Wait for start().' });
    return this.#assembly.publisher;
  }
}

/** Makes a worker; nothing is connected before `start()`. Throws a `ConfigurationError` for an option that is wrong. */
export function createWorker(options: WorkerOptions = {}): Worker {
  return new Worker(options);
}
