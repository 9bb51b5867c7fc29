import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { TaskRecord } from '@warren/plugin-tasks';
import { createStore, Records } from '@warren/store';
import { broker } from './_broker.js';
import { json, project, run, start } from './_cli.js';
import type { Cli, Ended } from './_cli.js';

/** A project with tasks, its store in a folder of its own. */
export interface TaskProject extends Awaited<ReturnType<typeof broker>> {
  readonly cwd: string;
  /** Runs a command to its end. */
  readonly run: (...args: string[]) => Promise<Ended>;
  /** Runs a command with --json, which has to succeed. */
  readonly json: <T>(...args: string[]) => Promise<T>;
  /** Starts a worker, which takes the project's tasks. */
  readonly work: () => Cli;
  /** Resolves with the record when the task is in the state. */
  readonly reached: (id: string, state: string) => Promise<TaskRecord>;
}

/** `double` takes numbers and fails for those below 0, unless a file `mended` is there. */
const HANDLERS = (queue: string): string => `
  import { existsSync } from 'node:fs';
  import { defineJob, never } from '@warren/core';
  import { defineTask } from '@warren/plugin-tasks';
  const number = { '~standard': { version: 1, vendor: 'test', validate: (value) =>
    typeof value?.n === 'number' ? { value } : { issues: [{ message: 'expected a number', path: ['n'] }] } } };
  const double = defineTask('double', { queue: '${queue}', schema: number, retry: never });
  const report = defineTask('report', {
    queue: '${queue}',
    schedule: [
      { cron: '0 6 * * *', timeZone: 'Europe/Berlin', payload: (tick) => ({ tick }) },
      { every: '1h', name: 'hourly' },
    ],
  });
  const plain = defineJob('plain', { queue: '${queue}' });
  export default (worker) => {
    worker.handle(double, ({ payload: { n } }) => {
      if (n < 0 && !existsSync('mended')) throw new RangeError('below 0');
      return n * 2;
    });
    worker.handle(report, ({ payload }) => payload);
    worker.handle(plain, () => {});
  };`;

export async function taskProject(t: ExecutionContext): Promise<TaskProject> {
  const on = await broker(t);
  const cwd = await project(t, {
    'handlers/tasks.ts': HANDLERS(on.queue),
    'worker.config.mjs': `export default { url: '${on.url}', plugins: ['delay', 'tasks'], store: 'lmdb:./state' };`,
  });
  const options = { cwd };
  const store = createStore(`lmdb:${join(cwd, 'state')}`);
  t.teardown(() => store.close());
  const records = new Records<TaskRecord>(store, 'task/');
  return {
    ...on,
    cwd,
    run: (...args) => run(t, args, options),
    json: <T>(...args: string[]) => json<T>(t, args, options),
    work: () => start(t, ['start', '--json'], options),
    reached: async (id, state) => {
      for (;;) {
        const record = (await records.get(id))?.value;
        if (record?.state === state) return record;
        await sleep(20);
      }
    },
  };
}
