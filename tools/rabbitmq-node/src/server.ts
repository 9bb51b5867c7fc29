import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { rabbitmqctl } from './ctl.js';
import { notRunning, startFailed } from './errors.js';
import type { Lifeline } from './lifeline.js';
import type { NodeFiles } from './node-files.js';
import { accepts } from './ports.js';

const START_TIMEOUT = 60_000;

/** epmd lives and ends with the node; the shell ends last, when it has reaped both. */
const SCRIPT = 'epmd & "$0"/rabbitmq-server; kill $!; wait';

/** One run of a node, from its start to its end: a process group of rabbitmq-server, beam and epmd. */
export class Server {
  readonly #files: NodeFiles;
  readonly #shell: ChildProcess;
  #pid: number | undefined;

  /** Resolves when the node takes connections; rejects with `ERR_RABBITMQ_START`. */
  static async start(files: NodeFiles, lifeline: Lifeline): Promise<Server> {
    if (await accepts(files.port)) throw startFailed(`port ${files.port} is already in use`, '');
    await rm(files.pidFile, { force: true });
    const server = new Server(files, lifeline);
    try {
      await server.#ready();
      server.#pid = Number(await readFile(files.pidFile, 'utf8'));
      return server;
    } catch (error) {
      server.killGroup();
      await server.gone();
      throw error;
    }
  }

  // A process group of its own: a Ctrl-C in the terminal reaches us and not the node.
  private constructor(files: NodeFiles, lifeline: Lifeline) {
    this.#files = files;
    const { scripts, env, directory: cwd } = files;
    const output = openSync(files.output, 'w');
    this.#shell = spawn('sh', ['-c', SCRIPT, scripts], { detached: true, stdio: ['ignore', output, output], env, cwd });
    closeSync(output);
    this.#shell.unref();
    lifeline.guard(this.#shell.pid);
    this.#shell.once('exit', () => lifeline.guard(undefined));
  }

  get running(): boolean {
    return this.#shell.exitCode === null && this.#shell.signalCode === null;
  }

  /** The process id of beam; throws `ERR_RABBITMQ_NOT_RUNNING` when it has ended. */
  get pid(): number {
    if (!this.#pid || !this.running) throw notRunning(this.#files.node);
    return this.#pid;
  }

  /** Signals beam. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.pid;
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It has just ended by itself, and we have not heard of it yet.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  killGroup(): void {
    if (this.running && this.#shell.pid) process.kill(-this.#shell.pid, 'SIGKILL');
  }

  /** Resolves when beam is reaped: its last thread, even of a killed one, has let go of the port then. */
  async gone(): Promise<void> {
    if (!this.running) return;
    this.#shell.ref();
    await once(this.#shell, 'exit');
  }

  // await_startup fails at once while the node is unknown to epmd, so it is asked when the port is open, and asked again.
  async #ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT;
    while (Date.now() < deadline) {
      const output = await readFile(this.#files.output, 'utf8');
      if (output.includes('BOOT FAILED') || !this.running) throw startFailed('the boot failed', output);
      if ((await accepts(this.#files.port)) && (await this.#startedUp())) return;
      await sleep(50);
    }
    throw startFailed(`not ready after ${START_TIMEOUT} ms`, await readFile(this.#files.output, 'utf8'));
  }

  #startedUp(): Promise<boolean> {
    return rabbitmqctl(this.#files, ['await_startup', '--timeout', String(START_TIMEOUT / 1_000)]).then(
      () => true,
      () => false,
    );
  }
}
