import { backoff, ConfigurationError, UnrecoverableError } from '@warren/core';
import type { Clock, Connection, Logger } from '@warren/core';
import { BatonHolder } from './baton-holder.js';
import { dueTicks, GRACE } from './due.js';
import type { Schedule } from './options.js';

export interface ScheduleRunnerParts {
  readonly schedule: Schedule;
  readonly connection: Pick<Connection, 'consume' | 'publish'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Enqueues the tick's task; resolves when that is sure. */
  readonly fire: (tick: Date) => Promise<void>;
  /** Told of each tick that was fired. */
  readonly fired: (tick: Date) => void;
}

/** Milliseconds between the offers of a worker that has no baton, for the case that the queue was deleted. */
const OFFER_EVERY = 600_000;

/** Milliseconds in which what the broker has sent already comes in: the latest baton for a new leader, a closed connection for a former one. */
const SETTLING = 100;

/** Milliseconds; a leader that sleeps as it should is not later. */
const PUNCTUAL = 1_000;

/** Milliseconds; no sleep is longer, because the clock may be set, or the machine suspended. */
const LONGEST_SLEEP = 60_000;

const pause = backoff({ initial: 1_000, max: 30_000 });

/**
 * Runs one schedule in one worker. Of all workers the one that holds the baton leads: it fires what is due, hands the baton on to itself, and
 * sleeps. The others wait in the broker's line for it, so that a leader's death costs no more than finding it out.
 */
export class ScheduleRunner {
  readonly #parts: ScheduleRunnerParts;
  readonly #baton: BatonHolder;
  readonly #stopping = new AbortController();
  /** Ends the present sleep, or the next one. */
  #alarm = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(parts: ScheduleRunnerParts) {
    this.#parts = parts;
    const { schedule, ...others } = parts;
    this.#baton = new BatonHolder({ ...others, schedule: schedule.name, onBaton: () => this.#alarm.abort() });
  }

  async start(): Promise<void> {
    await this.#baton.open();
    this.#running = this.#run();
  }

  /** Lets a firing that is under way end, and gives the baton to the next worker. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#alarm.abort();
    await this.#baton.close();
    await this.#running;
    this.#baton.release();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) await (this.#baton.holds ? this.#lead() : this.#follow());
  }

  async #follow(): Promise<void> {
    const offered = await this.#tried(() => this.#baton.offer());
    await this.#sleep(offered ? OFFER_EVERY : pause(this.#failures));
  }

  async #lead(): Promise<void> {
    const { clock, logger, schedule } = this.#parts;
    await this.#settle();
    this.#tellMissed();
    logger.debug({ schedule: schedule.name }, 'leading the schedule');
    while (this.#leads) {
      const now = clock.now();
      const done = await this.#tried(() => this.#fireDue(now));
      await this.#sleep(done ? this.#untilNext(now) : pause(this.#failures));
    }
  }

  async #settle(): Promise<void> {
    await this.#parts.clock.sleep(SETTLING, this.#stopping.signal);
  }

  get #leads(): boolean {
    return this.#baton.holds && !this.#stopped;
  }

  async #fireDue(now: number): Promise<void> {
    const due = dueTicks(this.#parts.schedule, this.#baton.last, now);
    const [first] = due;
    // A process that was frozen has been replaced, and is about to hear of it.
    if (first && now - first.getTime() > PUNCTUAL) await this.#settle();
    for (const tick of due) {
      if (!this.#leads) return;
      await this.#fire(tick);
      await this.#baton.advance(tick);
      this.#parts.fired(tick);
    }
    await this.#baton.refresh();
  }

  /** What fails because of the task itself fails always: the schedule goes on without that tick. */
  async #fire(tick: Date): Promise<void> {
    const { fire, logger, schedule } = this.#parts;
    try {
      await fire(tick);
    } catch (error) {
      if (!(error instanceof ConfigurationError || error instanceof UnrecoverableError)) throw error;
      logger.error({ err: error, schedule: schedule.name, tick }, 'a tick was given up');
    }
  }

  /** From `now`, when what was due was looked at: a tick since then is due at once. */
  #untilNext(now: number): number {
    const { clock, schedule } = this.#parts;
    const next = schedule.ticks.next(new Date(now));
    return Math.min(next.getTime() - clock.now(), LONGEST_SLEEP);
  }

  async #sleep(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, this.#alarm.signal);
    if (this.#alarm.signal.aborted) this.#alarm = new AbortController();
  }

  /** Whether it went well; if not, the same is done again after a pause. */
  async #tried(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#failures = 0;
      return true;
    } catch (error) {
      this.#failures++;
      this.#parts.logger.warn({ err: error, schedule: this.#parts.schedule.name }, 'a schedule will be tried again');
      return false;
    }
  }

  #tellMissed(): void {
    const { clock, logger, schedule } = this.#parts;
    const { name, missed, ticks } = schedule;
    const last = new Date(this.#baton.last);
    const [latest] = ticks.between(last, new Date(clock.now() - GRACE), 1);
    if (latest) logger.warn({ schedule: name, last, latest, missed }, 'ticks fell due while no worker led the schedule');
  }
}
