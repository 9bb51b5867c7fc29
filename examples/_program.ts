import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Lifeline } from '@warren/rabbitmq-node';
import type { ExecutionContext } from 'ava';
import { Recorder } from './_recorder.js';

export interface Program {
  /** What it prints, line by line. */
  readonly lines: Recorder<string>;
  /** Ctrl-C; resolves when it has ended. */
  stop(): Promise<unknown>;
  /** kill -9. */
  kill(): Promise<unknown>;
}

/** An example's `main.js` in a process of its own, which ends with the test, also with one that times out. */
export function runMain(
  t: ExecutionContext,
  example: string,
  { args, env }: { args: string[]; env: NodeJS.ProcessEnv },
): Program {
  const main = fileURLToPath(new URL(`${example}/main.js`, import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const lifeline = new Lifeline(undefined);
  lifeline.guard(child.pid);
  t.teardown(() => lifeline.cut());
  const ended = once(child, 'close').then(() => lifeline.guard(undefined));
  const lines = new Recorder<string>();
  createInterface(child.stdout).on('line', lines.add);
  const end = (signal: NodeJS.Signals): Promise<unknown> => {
    child.kill(signal);
    return ended;
  };
  return { lines, stop: () => end('SIGINT'), kill: () => end('SIGKILL') };
}

/** A folder that ends with the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'warren-example-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
