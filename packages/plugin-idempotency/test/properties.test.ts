import { setImmediate as turn } from 'node:timers/promises';
import { defineJob, done, retry } from '@warren/core';
import type { Job, JobType, Outcome } from '@warren/core';
import { VirtualClock } from '@warren/core/testing';
import { createStore, Records } from '@warren/store';
import type { Store } from '@warren/store';
import test from 'ava';
import * as fc from 'fast-check';
import type { KeyRecord } from '../src/record.js';
import { Process } from './_process.js';

const LEASE = 10_000;
const PROCESSES = 3;
const job: JobType<number> = defineJob<number>('task', { queue: 'tasks' });

type Step =
  | { readonly kind: 'deliver' | 'crash' | 'stall' | 'wake'; readonly process: number }
  | { readonly kind: 'pass'; readonly ms: number };

const process = fc.nat({ max: PROCESSES - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const), process }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 2 * LEASE }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'stall' as const, 'wake' as const), process }) },
);

/** How long a run takes, and whether it fails; the runs of a world take these in turn. */
const run = fc.record({ ms: fc.nat({ max: 3 * LEASE }), fails: fc.boolean() });

type Plan = ReadonlyArray<{ readonly ms: number; readonly fails: boolean }>;

/** So many runs may fail; then all succeed, so that there is an end. */
const FAILURES = 20;

interface Run {
  readonly fence: number;
  readonly process: Process;
  readonly job: Job<number>;
  over: boolean;
}

/** One message, delivered time and again to three processes. */
class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly store: Store = createStore('memory:', { clock: this.clock });
  readonly runs: Run[] = [];
  readonly results: unknown[] = [];
  /** What was found wrong. */
  readonly faults: string[] = [];
  readonly #plan: Plan;
  readonly #processes: Process[] = [];
  /** How many deliveries of a process have not ended. */
  readonly #open = new Map<Process, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
    for (let number = 0; number < PROCESSES; number++) this.#replace(number);
  }

  async do(step: Step): Promise<void> {
    if (step.kind === 'pass') return this.clock.advance(step.ms);
    const process = this.#processes[step.process] as Process;
    if (step.kind === 'deliver') this.#deliver(process);
    else if (step.kind === 'crash') this.#crash(step.process);
    else process[step.kind]();
    await turn();
  }

  /** Everybody lives, and time passes until nothing is open, or for ever. Whether all has ended. */
  async end(): Promise<boolean> {
    for (const process of this.#processes) process.wake();
    for (let round = 0; round < 500 && this.#busy(); round++) await this.clock.advance(LEASE);
    return !this.#busy();
  }

  #busy(): boolean {
    return [...this.#open.values()].some((count) => count > 0);
  }

  #replace(number: number): Process {
    const handler = (current: Job<number>, process: Process): Promise<Outcome> => this.#run(current, process);
    const options = { lease: LEASE, ttl: '365d' };
    const process = new Process({ clock: this.clock, store: this.store, job, handler, options });
    this.#processes[number] = process;
    this.#open.set(process, 0);
    return process;
  }

  /** What it had taken is delivered to its successor. */
  #crash(number: number): void {
    const process = this.#processes[number] as Process;
    process.kill();
    const taken = this.#open.get(process) ?? 0;
    this.#open.delete(process);
    const successor = this.#replace(number);
    for (let time = 0; time < taken; time++) this.#deliver(successor);
  }

  #deliver(process: Process): void {
    this.#count(process, 1);
    void process.deliver('m', 1).then((outcome) => this.#ended(process, outcome));
  }

  #ended(process: Process, outcome: Outcome): void {
    if (process.dead) return;
    if (outcome.kind === 'retry' || outcome.kind === 'requeue') return this.#again(process, outcome.delay ?? 1_000);
    this.#count(process, -1);
    if (outcome.kind === 'ack') this.results.push(outcome.result);
    else this.faults.push('dead-lettered');
  }

  #again(process: Process, ms: number): void {
    this.clock.schedule(ms, () => {
      if (process.dead) return;
      this.#count(process, -1);
      this.#deliver(process);
    });
  }

  #count(process: Process, change: number): void {
    this.#open.set(process, (this.#open.get(process) ?? 0) + change);
  }

  async #run(current: Job<number>, process: Process): Promise<Outcome> {
    const own: Run = { fence: current.fence ?? 0, process, job: current, over: false };
    this.#check(own);
    const number = this.runs.push(own);
    const { ms, fails } = this.#plan[number % this.#plan.length] ?? { ms: 0, fails: false };
    await process.clock.sleep(ms);
    own.over = true;
    return fails && number < FAILURES ? retry() : done({ number });
  }

  /** Before a run begins. */
  #check({ fence }: Run): void {
    if (this.results.length > 0) this.faults.push('it runs after it was done');
    for (const earlier of this.runs) {
      if (earlier.fence >= fence) this.faults.push(`fence ${fence} after ${earlier.fence}`);
      const gone = earlier.over || earlier.process.dead || earlier.process.stalled || earlier.job.signal.aborted;
      if (!gone) this.faults.push('two runs hold a lease');
    }
  }
}

test('Whatever happens to its workers, a key is run by one at a time, ends done exactly once, and its fences grow.', async (t) => {
  const steps = fc.array(step, { minLength: 1, maxLength: 40 });
  const plan = fc.array(run, { minLength: 1, maxLength: 10 });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(steps, plan, async (steps, plan) => {
      const world = new World(plan);
      for (const step of [{ kind: 'deliver', process: 0 } as const, ...steps]) await world.do(step);
      t.true(await world.end(), 'all deliveries end');
      t.deepEqual(world.faults, []);
      const records = new Records<KeyRecord>(world.store, 'idempotency/');
      const { value } = (await records.get('tasks/task/m')) ?? {};
      t.is(value?.state, 'done');
      const { result } = value as { result: unknown };
      t.true(world.results.length > 0);
      for (const got of world.results) t.deepEqual(got, result, 'every duplicate has the one result');
      taken += world.runs.filter((run, index) => index > 0 && run.process !== world.runs[index - 1]?.process).length;
    }),
    { numRuns: 500 },
  );
  t.true(taken > 50, 'many a run is taken over by another process');
});
