import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ctlFailed } from './errors.js';
import type { NodeFiles } from './node-files.js';

const TIMEOUT = 120_000;
const run = promisify(execFile);

/** Runs rabbitmqctl against a node; resolves to what it prints, rejects with `ERR_RABBITMQ_CTL`. */
export async function rabbitmqctl({ scripts, node, env }: NodeFiles, args: readonly string[]): Promise<string> {
  try {
    const options = { env, timeout: TIMEOUT, killSignal: 'SIGKILL' } as const;
    const { stdout } = await run(join(scripts, 'rabbitmqctl'), ['-q', '-n', node, ...args], options);
    return stdout.trimEnd();
  } catch (error) {
    throw ctlFailed(args, error);
  }
}
