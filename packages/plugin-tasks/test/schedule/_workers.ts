// Workers with schedules, on a broker.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLOCK, CONNECTION, createWorker, defineJob, LOGGER, STOPPING } from '@warren/core';
import type { JobType, Plugin, Worker } from '@warren/core';
import type { ExecutionContext } from 'ava';
import { schedulesOf, tickId } from '../../src/schedule/options.js';
import type { ScheduleOptions } from '../../src/schedule/options.js';
import { Scheduler } from '../../src/schedule/scheduler.js';

export function tickJob(suffix: string = randomUUID()): JobType<string> {
  return defineJob<string>(`tick.${suffix}`, { queue: `ticks.${suffix}`, codec: 'text' });
}

/** A worker that publishes `job` at its ticks. */
export function scheduling(url: string, job: JobType<string>, options: ScheduleOptions): Worker {
  const worker: Worker = createWorker({
    url,
    reconnect: { initial: 50, max: 200 },
    plugins: [schedules(job, options, () => worker)],
  });
  return worker;
}

function schedules(job: JobType<string>, options: ScheduleOptions, worker: () => Worker): Plugin {
  let scheduler: Scheduler | undefined;
  return {
    name: 'schedules',
    start(container) {
      scheduler = new Scheduler({
        schedules: schedulesOf(options, job),
        connection: container.resolve(CONNECTION),
        clock: container.resolve(CLOCK),
        logger: container.resolve(LOGGER),
        stopping: container.resolve(STOPPING),
        fire: (schedule, tick) => worker().publish(job, tick.toISOString(), { messageId: tickId(schedule, tick) }),
      });
      return scheduler.start();
    },
    stop: () => scheduler?.stop(),
  };
}

/** The ticks that arrive, oldest first: a message for each that was fired. */
export class Arrivals {
  readonly ticks: number[] = [];

  static async at(t: ExecutionContext, url: string, job: JobType<string>): Promise<Arrivals> {
    const arrivals = new Arrivals();
    const worker = createWorker({ url, reconnect: { initial: 50, max: 200 } });
    t.teardown(() => worker.stop({ deadline: 2_000 }));
    worker.handle(job, ({ payload, messageId }) => {
      t.is(messageId, `${job.name}@${payload}`);
      t.true(Date.now() >= Date.parse(payload));
      arrivals.ticks.push(Date.parse(payload));
    });
    await worker.start();
    return arrivals;
  }

  /** Each once, in the order of their coming. */
  get distinct(): number[] {
    return [...new Set(this.ticks)];
  }

  async some(count: number): Promise<void> {
    const end = performance.now() + 90_000;
    while (this.distinct.length < count) {
      if (performance.now() > end) throw new Error(`${this.distinct.length} ticks came, not ${count}`);
      await sleep(20);
    }
  }

  /** The gaps between one tick and the next, in seconds. */
  get gaps(): number[] {
    const { distinct } = this;
    return distinct.slice(1).map((tick, index) => (tick - (distinct[index] as number)) / 1_000);
  }
}
