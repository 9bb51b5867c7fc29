// A worker's process that kills itself with SIGKILL at the first task that reaches a point, where told to. Its effects are lines of a file.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { createWorker } from '@warren/core';
import type { Job, Plugin } from '@warren/core';
import delay from '@warren/plugin-delay';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';
import tasks from '../src/index.js';
import { first, last, second, third } from './_steps.js';

/** Where the process may die. */
export type CrashPoint = 'before the handler' | 'after the effect' | 'after the record' | 'after the next task was sent';

export interface WorkerProcessOptions {
  readonly url: string;
  readonly store: string;
  /** Milliseconds. */
  readonly lease: number;
  /** A line for each effect: the task's id and name. */
  readonly effects: string;
  /** The name of the task that dies, and where; once, for which a file is left at `crashed`. */
  readonly crash?: { readonly task: string; readonly point: CrashPoint; readonly crashed: string };
  readonly concurrency?: number;
}

const options = JSON.parse(process.argv[2] ?? '') as WorkerProcessOptions;

function dieAt(point: CrashPoint, task: string): void {
  const { crash } = options;
  if (crash?.point !== point || crash.task !== task || existsSync(crash.crashed)) return;
  writeFileSync(crash.crashed, '');
  process.kill(process.pid, 'SIGKILL');
}

/** Takes a moment after its effect, each another one, so that a process which is killed has some of these in hand. */
async function handle(job: Job<string | string[]>): Promise<string> {
  dieAt('before the handler', job.name);
  appendFileSync(options.effects, `${job.messageId} ${job.name}\n`);
  dieAt('after the effect', job.name);
  await setTimeout(Math.random() * 20);
  return typeof job.payload === 'string' ? `${job.payload}>${job.name}` : String(job.payload.length);
}

/** The store, and death after a task's record has become `succeeded`. */
function mortal(store: Store): Store {
  return {
    get: (key) => store.get(key),
    putIfAbsent: (...given) => store.putIfAbsent(...given),
    deleteIfVersion: (...given) => store.deleteIfVersion(...given),
    list: (prefix) => store.list(prefix),
    close: () => store.close(),
    async replaceIfVersion(key, version, change) {
      const written = await store.replaceIfVersion(key, version, change);
      const { state, task } = JSON.parse(change.value) as { state?: string; task?: string };
      if (state === 'succeeded') dieAt('after the record', task ?? '');
      return written;
    },
  };
}

const follows: Record<string, string> = { second: 'first', third: 'second', last: 'third' };

/** Death after the task that follows has been sent, and before the message of the one before is acknowledged. */
const mortalPublish: Plugin = {
  name: 'mortal-publish',
  publish: (next) => async (message) => {
    await next(message);
    dieAt('after the next task was sent', follows[message.properties.type ?? ''] ?? '');
  },
};

const { url, lease, concurrency = 20 } = options;
const store = mortal(createStore(options.store));
const worker = createWorker({ url, prefetch: concurrency, plugins: [delay(), tasks({ store, lease }), mortalPublish] });
for (const task of [first, second, third]) worker.handle(task, handle);
worker.handle(last, handle);
await worker.start();
process.send?.('started');
process.once(
  'SIGTERM',
  () =>
    void worker
      .stop()
      .then(() => store.close())
      .then(() => process.exit()),
);
