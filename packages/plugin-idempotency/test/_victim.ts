// A worker in a process of its own, to be killed: by the test, or by itself at a named point.
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorker, defineJob } from '@warren/core';
import type { Job, JobType, Plugin } from '@warren/core';
import { createStore } from '@warren/store';
import idempotency from '../src/index.js';

/** Where a worker dies: its claim is made before the first, its ack is sent after the last. */
export type CrashPoint = 'before the effect' | 'between the effect and the mark' | 'between the mark and the ack';

export interface VictimOptions {
  readonly amqp: string;
  readonly store: string;
  readonly queue: string;
  /** Where effects are counted: a file, or a table of the store's database, written in the handler's transaction. */
  readonly effects: { readonly file: string } | { readonly table: string };
  readonly crash?: CrashPoint;
  /** Milliseconds that the handler takes at most. */
  readonly work?: number;
  readonly lease?: number;
  readonly prefetch?: number;
}

export function taskOn(queue: string): JobType<number> {
  // RabbitMQ knows at once how many messages a classic queue has; of a quorum queue it says what it last counted.
  return defineJob<number>('task', { queue: { name: queue, type: 'classic' } });
}

async function effect({ payload, transaction }: Job<number>, { effects }: VictimOptions): Promise<void> {
  if ('file' in effects) appendFileSync(effects.file, `${payload}\n`);
  else await transaction.query(`INSERT INTO ${effects.table} (task) VALUES ($1)`, [payload]);
}

async function run(options: VictimOptions): Promise<void> {
  const { amqp: url, queue, crash, work = 0, lease = 1_000, prefetch = 20 } = options;
  // On a busy machine a process that has just begun may take longer than usual to connect.
  const store = createStore(options.store, { timeout: '30s' });
  const dieAt = (point: CrashPoint): void => void (crash === point && process.kill(process.pid, 'SIGKILL'));
  const outermost: Plugin = {
    name: 'outermost',
    consume: (next) => async (job) => {
      const outcome = await next(job);
      dieAt('between the mark and the ack');
      return outcome;
    },
  };
  const worker = createWorker({ url, prefetch, plugins: [outermost, idempotency({ store, lease })] });
  const handle = async (job: Job<number>): Promise<void> => {
    dieAt('before the effect');
    await sleep((work * Math.random()) / 2);
    await effect(job, options);
    await sleep((work * Math.random()) / 2);
    dieAt('between the effect and the mark');
  };
  worker.handle(taskOn(queue), handle, { idempotency: { transaction: 'table' in options.effects } });
  await worker.start();
  process.send?.('started');
}

if (process.send) {
  const [options] = (await once(process, 'message')) as [VictimOptions];
  await run(options);
}
