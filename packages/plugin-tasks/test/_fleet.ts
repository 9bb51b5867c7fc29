import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWorker } from '@warren/core';
import type { Worker } from '@warren/core';
import delay from '@warren/plugin-delay';
import type { ExecutionContext } from 'ava';
import tasks from '../src/index.js';
import type { WorkerProcessOptions } from './_worker-process.js';

/** Worker processes that share a broker, a store and a file of effects, and a producer in this process. */
export class Fleet {
  readonly effectsFile: string;
  readonly directory: string;
  readonly producer: Worker;
  readonly #t: ExecutionContext;
  readonly #options: Omit<WorkerProcessOptions, 'crash'>;

  constructor(t: ExecutionContext, { url, lease, store }: { url: string; lease: number; store?: string }) {
    this.#t = t;
    this.directory = mkdtempSync(join(tmpdir(), 'warren-fleet-'));
    t.teardown(() => rmSync(this.directory, { recursive: true, force: true }));
    this.effectsFile = join(this.directory, 'effects');
    const shared = store ?? `lmdb:${join(this.directory, 'store')}`;
    this.#options = { url, lease, store: shared, effects: this.effectsFile };
    this.producer = createWorker({ url, plugins: [delay(), tasks({ store: shared, lease })] });
    t.teardown(() => this.producer.stop());
  }

  /** A process that consumes already. */
  async worker(crash?: WorkerProcessOptions['crash']): Promise<ChildProcess> {
    const options = JSON.stringify({ ...this.#options, ...(crash && { crash }) });
    const child = fork(fileURLToPath(new URL('_worker-process.js', import.meta.url)), [options], { execArgv: [] });
    this.#t.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const started = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)]);
    if (!started) throw new Error('A worker ended before it had started.');
    return child;
  }

  /** How often each task had its effect, by id. */
  effects(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of readFileSync(this.effectsFile, 'utf8').split('\n').filter(Boolean)) {
      const [id = ''] = line.split(' ');
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }
}
