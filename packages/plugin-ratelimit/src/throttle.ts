// Jobs that may not start yet. They are held unacknowledged in lanes, one for each set of keys they count under, first come first served;
// one timer wakes them all. Who waits in one lane never keeps another one back.
import { postpone, requeue } from '@warren/core';
import type { Awaitable, Clock, Job, Logger, Outcome } from '@warren/core';
import { FailClosed } from './fail-closed.js';
import { Lane, start } from './lane.js';
import type { LaneFacts, Waiter } from './lane.js';
import type { Limiter } from './limiter.js';

export interface ThrottleParts {
  readonly limiter: Limiter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Milliseconds that a job may be held. */
  readonly maxHold: number;
}

export class Throttle {
  /** Whether a plugin holds delayed messages; only then is a job sent away for a time. Known at start. */
  delays: boolean = false;
  readonly #parts: ThrottleParts;
  readonly #limiter: Limiter;
  readonly #lanes = new Map<string, Lane>();
  #arrivals = 0;
  #cancelTimer: () => void = () => {};
  #starting = false;

  constructor(parts: ThrottleParts) {
    this.#parts = parts;
    this.#limiter = new FailClosed(parts.limiter, parts.logger);
    parts.stopping.addEventListener('abort', () => this.#returnAll(), { once: true });
  }

  get now(): number {
    return this.#parts.clock.monotonic();
  }

  /** Milliseconds that a job may be held. */
  get maxHold(): number {
    return this.#parts.maxHold;
  }

  waitsIn(lane: string): boolean {
    return this.#lanes.has(lane);
  }

  /** Starts the job as soon as the limiter lets it: at once where nobody waits and it answers at once. */
  run(job: Job, facts: LaneFacts): Awaitable<Outcome> {
    if (this.#parts.stopping.aborted) return requeue;
    if (this.#lanes.size > 0) return this.#wait(job, this.#lane(facts), this.now + this.maxHold);
    const answer = this.#limiter.take(facts.claims());
    if (answer === 0) return start(job, facts, this.#limiter);
    const lane = this.#lane(facts);
    this.#hear(lane, answer);
    return this.#wait(job, lane, this.now + this.maxHold);
  }

  /** Nothing starts under the lane's scope for `ms` milliseconds, wherever the limiter reaches. */
  async pause({ scope }: LaneFacts, ms: number): Promise<void> {
    await this.#limiter.pause(scope, ms);
  }

  /** Puts a job that has run in vain before all others of its lane, to run in `ms` milliseconds; held until `deadline` at the longest. */
  runAgain(job: Job, facts: LaneFacts, { ms, deadline }: { ms: number; deadline: number }): Awaitable<Outcome> {
    if (this.#parts.stopping.aborted) return requeue;
    const lane = this.#lane(facts);
    lane.askAt = Math.max(lane.askAt, this.now + ms);
    // Deadlines never fall along a lane, so that its head's is the next.
    const outcome = this.#wait(job, lane, Math.min(deadline, lane.head?.deadline ?? Infinity), true);
    this.#sendAwayAll(lane);
    return outcome;
  }

  /** Asks again at once: limits have changed. */
  wake(): void {
    for (const lane of this.#lanes.values()) lane.askAt = -Infinity;
    this.#pump();
  }

  /** Lets go of jobs whose channel has closed: the broker delivers them again. */
  dropLost(): void {
    for (const lane of this.#lanes.values()) {
      for (const waiter of lane.waiters.filter(({ job }) => job.delivery.lost)) this.#remove(lane, waiter).resolve(requeue);
    }
    this.#pump();
  }

  #lane(facts: LaneFacts): Lane {
    let lane = this.#lanes.get(facts.name);
    if (!lane) this.#lanes.set(facts.name, (lane = new Lane(facts)));
    return lane;
  }

  #wait(job: Job, lane: Lane, deadline: number, first = false): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const waiter = { job, number: this.#arrivals++, deadline, resolve, reject };
      if (first) lane.waiters.unshift(waiter);
      else lane.waiters.push(waiter);
      if (first || lane.waiters.length === 1 || lane.askAt <= this.now) this.#pump();
      this.#sendAway(lane, waiter);
    });
  }

  /** A job that cannot start before its hold is over need not wait for that, where somebody else can keep it. */
  #sendAway(lane: Lane, waiter: Waiter): void {
    const index = lane.waiters.lastIndexOf(waiter);
    if (index === -1 || !this.delays) return;
    const wait = lane.estimate(index, this.now);
    if (this.now + wait > waiter.deadline) this.#remove(lane, waiter).resolve(postpone(Math.ceil(wait)));
  }

  /** From the end, so that each one's place tells how long it would have to wait. */
  #sendAwayAll(lane: Lane): void {
    if (lane.head && lane.askAt > lane.head.deadline)
      for (const waiter of lane.waiters.toReversed()) this.#sendAway(lane, waiter);
  }

  #remove(lane: Lane, waiter: Waiter): Waiter {
    lane.waiters.splice(lane.waiters.indexOf(waiter), 1);
    if (lane.waiters.length === 0) this.#close(lane);
    return waiter;
  }

  #close(lane: Lane): void {
    if (this.#lanes.get(lane.facts.name) === lane) this.#lanes.delete(lane.facts.name);
  }

  /** Starts whoever may start, the longest waiting first, and sets the timer for the next. A handler that it starts may bring it here again. */
  #pump(): void {
    if (this.#starting) return;
    this.#starting = true;
    try {
      this.#giveUp();
      for (let lane = this.#nextLane(); lane; lane = this.#nextLane()) this.#hear(lane, this.#limiter.take(lane.facts.claims()));
    } finally {
      this.#starting = false;
    }
    this.#setTimer();
  }

  #nextLane(): Lane | undefined {
    const { now } = this;
    let first: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      this.#dropLostHeads(lane);
      if (lane.mayAsk(now) && lane.before(first)) first = lane;
    }
    return first;
  }

  #dropLostHeads(lane: Lane): void {
    while (lane.head?.job.delivery.lost) this.#remove(lane, lane.head).resolve(requeue);
  }

  #hear(lane: Lane, answer: Awaitable<number>): void {
    if (typeof answer === 'number') return this.#answered(lane, answer);
    lane.asking++;
    void answer.then((wait) => {
      lane.asking--;
      this.#answered(lane, wait);
      this.#pump();
    });
  }

  #answered(lane: Lane, wait: number): void {
    if (wait > 0) {
      lane.askAt = this.now + wait;
      this.#sendAwayAll(lane);
      return;
    }
    lane.start(this.#limiter);
    if (lane.waiters.length === 0) this.#close(lane);
  }

  /** Nobody is held beyond the deadline: the broker would take its consumer for dead (rabbitmq.com/docs/consumers#acknowledgement-timeout). */
  #giveUp(): void {
    const { now } = this;
    for (const lane of this.#lanes.values()) {
      for (let index = 0; lane.head && lane.head.deadline <= now; index++) {
        const wait = Math.max(1, Math.ceil(lane.estimate(index, now)));
        this.#remove(lane, lane.head).resolve(this.delays ? postpone(wait) : requeue);
      }
    }
  }

  #setTimer(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    let next = Infinity;
    for (const lane of this.#lanes.values()) next = Math.min(next, lane.due);
    // Whole milliseconds, upwards: a timer that comes too soon would only have to be set again.
    if (next < Infinity)
      this.#cancelTimer = this.#parts.clock.schedule(Math.max(1, Math.ceil(next - this.now)), () => this.#pump());
  }

  #returnAll(): void {
    this.#cancelTimer();
    const lanes = [...this.#lanes.values()];
    this.#lanes.clear();
    for (const { waiters } of lanes) for (const waiter of waiters.splice(0)) waiter.resolve(requeue);
  }
}
