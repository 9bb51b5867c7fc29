// Runs the command line as a user does: its own process, in a project folder of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(packageFolder, 'bin/worker.js');

// What tests load in their own process must not find the machine's settings either; a test file's environment is its own copy.
for (const name of ['AMQP_URL', 'RABBITMQ_URL', 'CLOUDAMQP_URL', 'LOG_LEVEL', 'WARREN_MANAGEMENT_URL', 'WARREN_STORE'])
  delete process.env[name];

/** A folder with these files, in which @warren's packages are found; removed after the test. */
export async function project(t: ExecutionContext, files: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warren-cli-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(packageFolder, 'node_modules/@warren'), join(folder, 'node_modules/@warren'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly input?: string | Buffer;
}

/** A command that runs. */
export class Cli {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], { cwd, env = {}, input }: RunOptions) {
    // Nothing of the machine's own settings may leak in.
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { PATH, HOME, ...env }, stdio: 'pipe' });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    this.process = child;
    this.ended = once(child, 'close').then(([code, signal]) => {
      return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Resolves when stdout and stderr together contain `text` so many times; rejects when the command ends first. */
  async says(text: string, times = 1): Promise<void> {
    const { stdout, stderr } = this.process;
    const found = (): boolean => `${this.stdout}${this.stderr}`.split(text).length > times;
    while (!found()) {
      const heard = [stdout, stderr].map((stream) => once(stream ?? this.process, 'data'));
      const end = this.ended.then(({ code }) => code);
      const code = await Promise.race([...heard.map((data) => data.then(() => undefined)), end]);
      if (code !== undefined && !found())
        throw new Error(`ended with ${code} before it said "${text}": ${this.stdout}${this.stderr}`);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}

/** Starts a command; it is killed after the test if it still runs. */
export function start(t: ExecutionContext, args: readonly string[], options: RunOptions = {}): Cli {
  const cli = new Cli(args, options);
  t.teardown(() => cli.kill('SIGKILL'));
  return cli;
}

/** Runs a command to its end. */
export function run(t: ExecutionContext, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(t, args, options).ended;
}

/** Runs a command with --json, which has to succeed, to what it prints. */
export async function json<T>(t: ExecutionContext, args: readonly string[], options: RunOptions): Promise<T> {
  const { code, stdout, stderr } = await run(t, [...args, '--json'], options);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** The JSON lines of a log. */
export function lines(stdout: string): Array<Record<string, unknown>> {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
