// Workers with one schedule, on the virtual clock and a broker in memory.
import { defineJob } from '@warren/core';
import type { Logger } from '@warren/core';
import { VirtualClock } from '@warren/core/testing';
import type { ExecutionContext } from 'ava';
import { ScheduleRunner } from '../../src/schedule/schedule-runner.js';
import { schedulesOf } from '../../src/schedule/options.js';
import type { Schedule, ScheduleOptions } from '../../src/schedule/options.js';
import { FakeBroker } from './_fake-broker.js';
import type { FakeConnection } from './_fake-broker.js';

export interface Worker {
  readonly runner: ScheduleRunner;
  readonly connection: FakeConnection;
  /** What it fires ends so. */
  outcome: (tick: Date) => Promise<void>;
}

export class Stage {
  readonly clock: VirtualClock = new VirtualClock();
  readonly broker: FakeBroker;
  readonly schedule: Schedule;
  /** Ticks in the order in which they were fired, in seconds since the beginning. */
  readonly fired: number[] = [];
  readonly logged: string[] = [];
  readonly workers: Worker[] = [];
  readonly #begin = this.clock.now();

  constructor(options: ScheduleOptions = {}, latency?: () => number) {
    const [schedule] = schedulesOf(
      { ...(options.cron === undefined && { every: 1_000 }), ...options },
      defineJob('tick', { queue: 'ticks' }),
    );
    this.schedule = schedule as Schedule;
    this.broker = new FakeBroker(this.clock, latency);
  }

  get queue(): string {
    return `schedule.${this.schedule.name}`;
  }

  /** Seconds since the beginning. */
  get now(): number {
    return (this.clock.now() - this.#begin) / 1_000;
  }

  async start(): Promise<Worker> {
    const connection = this.broker.connect();
    const worker: Worker = { connection, outcome: async () => {}, runner: this.#runner(() => worker) };
    this.workers.push(worker);
    await worker.runner.start();
    return worker;
  }

  /** Lets what is under way end, and with it the test. */
  async end(t: ExecutionContext): Promise<void> {
    const stopped = Promise.all(this.workers.map(({ runner }) => runner.stop()));
    await this.clock.advance(1_000);
    await stopped;
    t.true(this.broker.line(this.queue).consumers.length === 0);
  }

  #runner(self: () => Worker): ScheduleRunner {
    const log = (_: object, message: string): void => void this.logged.push(message);
    const logger: Logger = { trace: log, debug: log, info: log, warn: log, error: log };
    return new ScheduleRunner({
      schedule: this.schedule,
      clock: this.clock,
      logger,
      connection: {
        consume: (options, deliver) => self().connection.consume(options, deliver),
        publish: (message) => self().connection.publish(message),
      },
      fire: (tick) => this.#fire(self(), tick),
      fired: () => {},
    });
  }

  async #fire({ connection, outcome }: Worker, tick: Date): Promise<void> {
    if (connection.dead) throw new Error('killed');
    await outcome(tick);
    this.fired.push((tick.getTime() - this.#begin) / 1_000);
    await this.clock.sleep(this.broker.latency());
  }
}

/** The numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
