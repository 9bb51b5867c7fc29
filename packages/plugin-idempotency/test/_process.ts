// A worker's process on a virtual clock, which can stand still and die, and a queue that delivers again what a process took with it.
import { CLOCK, Job, LOGGER, never, PUBLISHER, silentLogger, sleepOn, STOPPING } from '@warren/core';
import type { Clock, Consume, JobType, Outcome, Publisher } from '@warren/core';
import { createTestWorker, MemoryDelivery } from '@warren/core/testing';
import type { VirtualClock } from '@warren/core/testing';
import { STORE } from '@warren/store';
import type { Store } from '@warren/store';
import idempotency from '../src/index.js';
import type { IdempotencyPluginOptions } from '../src/index.js';

/** What comes to a process, and what leaves it: nothing while it stands still, and nothing more once it is dead. */
class Gate {
  #waiting: Array<() => void> | undefined;
  dead = false;

  get closed(): boolean {
    return this.#waiting !== undefined;
  }

  close(): void {
    this.#waiting ??= [];
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const pass of waiting) this.do(pass);
  }

  do(something: () => void): void {
    if (this.dead) return;
    if (this.#waiting) this.#waiting.push(something);
    else something();
  }

  pass(): Promise<void> {
    return new Promise((resolve) => this.do(resolve));
  }
}

class ProcessClock implements Clock {
  readonly #clock: VirtualClock;
  readonly #gate: Gate;

  constructor(clock: VirtualClock, gate: Gate) {
    this.#clock = clock;
    this.#gate = gate;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  schedule(ms: number, callback: () => void): () => void {
    let cancelled = false;
    const cancel = this.#clock.schedule(ms, () => this.#gate.do(() => !cancelled && callback()));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
    return sleepOn(this, ms, signal);
  }
}

/** A store as a process sees it: its questions and the answers pass the gate. */
function through(gate: Gate, store: Store): Store {
  const gated = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await gate.pass();
      const answer = await call(...args);
      await gate.pass();
      return answer;
    };
  };
  return {
    get: gated((key) => store.get(key)),
    putIfAbsent: gated((...args) => store.putIfAbsent(...args)),
    replaceIfVersion: gated((...args) => store.replaceIfVersion(...args)),
    deleteIfVersion: gated((...args) => store.deleteIfVersion(...args)),
    list: (prefix) => store.list(prefix),
    close: () => Promise.resolve(),
  };
}

export interface ProcessParts {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly job: JobType<number>;
  readonly handler: (job: Job<number>, process: Process) => Promise<Outcome>;
  readonly options?: IdempotencyPluginOptions;
}

/** One worker's process: the plugin's layer around a handler. */
export class Process {
  readonly clock: Clock;
  readonly #gate = new Gate();
  readonly #layer: Consume;
  readonly #job: JobType<number>;

  constructor({ clock, store, job, handler, options }: ProcessParts) {
    this.clock = new ProcessClock(clock, this.#gate);
    this.#job = job;
    const { container } = createTestWorker();
    container.register(CLOCK, { useValue: this.clock });
    container.register(STORE, { useValue: through(this.#gate, store) });
    container.register(LOGGER, { useValue: silentLogger });
    container.register(STOPPING, { useValue: new AbortController().signal });
    container.register(PUBLISHER, { useValue: { knows: () => true } as unknown as Publisher });
    const plugin = idempotency(options);
    plugin.register?.(container);
    const innermost: Consume = (current) => handler(current as Job<number>, this);
    const info = { job, options: {}, policy: never, consumer: { queue: job.queue.name, prefetch: 0 } } as const;
    this.#layer = plugin.consume?.(innermost, info, container) ?? innermost;
  }

  /** How a delivery ends; never, where the process dies meanwhile. */
  async deliver(messageId: string, payload: number): Promise<Outcome> {
    const delivery = new MemoryDelivery({
      queue: this.#job.queue.name,
      exchange: '',
      routingKey: this.#job.queue.name,
      content: Buffer.from(JSON.stringify(payload)),
      properties: { messageId, contentType: 'application/json' },
    });
    const context = { publish: () => Promise.resolve(), send: () => Promise.resolve() };
    const outcome = await this.#layer(new Job(payload, { type: this.#job, delivery, context }));
    await this.#gate.pass();
    return outcome;
  }

  get dead(): boolean {
    return this.#gate.dead;
  }

  get stalled(): boolean {
    return this.#gate.closed;
  }

  kill(): void {
    this.#gate.dead = true;
  }

  stall(): void {
    this.#gate.close();
  }

  wake(): void {
    this.#gate.open();
  }
}
