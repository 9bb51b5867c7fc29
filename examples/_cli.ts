import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { Recorder } from './_recorder.js';

const WORKER = fileURLToPath(new URL('../../packages/cli/bin/worker.js', import.meta.url));

/** The sources of an example: the command line loads TypeScript itself. */
export function folder(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

/** Runs a command of `worker` to its end and resolves to what it prints; rejects where its exit code is not 0. */
export async function worker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, ...args]);
  return stdout;
}

export interface WorkerProcess {
  /** What it prints, line by line. */
  readonly lines: Recorder<string>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** `worker start`, which ends with the test. */
export function startWorker(t: ExecutionContext, ...args: string[]): WorkerProcess {
  const child = spawn(process.execPath, [WORKER, 'start', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = new Recorder<string>();
  createInterface(child.stdout).on('line', lines.add);
  return {
    lines,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
