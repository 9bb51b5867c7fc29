import type { Clock, Connection, Logger } from '@warren/core';
import type { Records } from '@warren/store';
import { batonTopology } from './baton.js';
import { requireDistinct } from './options.js';
import type { Schedule } from './options.js';
import { ScheduleRunner } from './schedule-runner.js';

/** What the store knows of a schedule, under its name. */
export interface ScheduleRecord {
  /** The last tick that was fired; ISO 8601. */
  readonly last: string;
}

export interface SchedulerParts {
  readonly schedules: readonly Schedule[];
  /** Connected. */
  readonly connection: Pick<Connection, 'declare' | 'consume' | 'publish'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the worker stops taking work: the batons go to other workers at once. */
  readonly stopping: AbortSignal;
  /**
   * Enqueues the tick's task under `tickId(schedule, tick)`, and resolves when that is confirmed. Where it rejects the same tick is tried
   * again, except after a `ConfigurationError` or an `UnrecoverableError`.
   */
  readonly fire: (schedule: Schedule, tick: Date) => Promise<void>;
  /** Where the last tick is noted, for people to see. Nothing depends on it. */
  readonly records?: Records<ScheduleRecord> | undefined;
}

/** A worker's part in its schedules: of all workers that have a schedule one fires its ticks, and the broker decides which. */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #runners: ScheduleRunner[];
  #stopped: Promise<void> | undefined;

  /** Throws `ERR_INVALID_OPTION` where two schedules have the same name. */
  constructor(parts: SchedulerParts) {
    requireDistinct(parts.schedules);
    this.#parts = parts;
    this.#runners = parts.schedules.map((schedule) => this.#runnerOf(schedule));
  }

  /** Declares the schedules' queues and stands in line for their batons. Rejects where the broker refuses. */
  async start(): Promise<void> {
    const { schedules, connection, stopping } = this.#parts;
    if (schedules.length === 0 || stopping.aborted) return;
    stopping.addEventListener('abort', () => void this.stop(), { once: true });
    await connection.declare(batonTopology(schedules.map(({ name }) => name)));
    await Promise.all(this.#runners.map((runner) => runner.start()));
  }

  /** Resolves when no firing is under way and every baton has been given back. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.#runners.map((runner) => runner.stop())).then(() => undefined);
    return this.#stopped;
  }

  #runnerOf(schedule: Schedule): ScheduleRunner {
    const { connection, clock, logger, fire } = this.#parts;
    return new ScheduleRunner({
      schedule,
      connection,
      clock,
      logger,
      fire: (tick) => fire(schedule, tick),
      fired: (tick) => void this.#note(schedule, tick),
    });
  }

  async #note({ name }: Schedule, tick: Date): Promise<void> {
    const { records, logger } = this.#parts;
    const value: ScheduleRecord = { last: tick.toISOString() };
    try {
      const found = await records?.get(name);
      if (!found) await records?.putIfAbsent(name, value);
      else if (found.value.last < value.last) await records?.replaceIfVersion(name, found.version, { value });
    } catch (error) {
      logger.debug({ err: error, schedule: name }, 'the last tick was not noted');
    }
  }
}
