import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts, Lifeline } from '@warren/rabbitmq-node';
import { notRunning, startFailed } from './errors.js';
import { ended, signalTree, signalWholeTree } from './process-tree.js';

/** A real server of our own on 127.0.0.1. It does not keep the process alive, and it ends with the process that started it. */
export interface PrivateServer extends AsyncDisposable {
  /** With user and password, where it has them. */
  readonly url: string;
  readonly port: number;
  /** Another one after every start; `ERR_SERVER_NOT_RUNNING` when there is none. */
  readonly pid: number;
  /** Clean stop; resolves when the process is gone. Does nothing when it is not running. */
  stop(): Promise<void>;
  /** kill -9, with all its children; resolves when they are gone. What was acknowledged before is there after `start`. */
  kill(): Promise<void>;
  /** Starts again after `stop` or `kill`, on the same files and port; resolves when it is ready. */
  start(): Promise<void>;
  /** SIGSTOP: its processes keep their sockets and answer nothing. */
  freeze(): void;
  /** SIGCONT after `freeze`. */
  thaw(): void;
  /** Stops the server and removes its folder, unless `directory` was given. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is to be run. */
export interface Program {
  readonly name: 'Redis' | 'PostgreSQL';
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  /** Whether the directory is removed in the end. */
  readonly temporary: boolean;
  readonly command: string;
  readonly args: readonly string[];
  /** The user to run as; our own by default. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Asks for a clean stop. */
  readonly stopSignal: NodeJS.Signals;
  /** Ends it, children and shared memory, when nobody is left to stop it. */
  readonly lastSignal: 'KILL' | 'QUIT';
  ready(pid: number): Promise<boolean>;
  /** Removes what it leaves outside its folder when it was killed and not started again. */
  cleanUp?(): Promise<void>;
}

const START_TIMEOUT = 30_000;
/** Milliseconds that a clean stop may take before the server is killed. */
const STOP_TIMEOUT = 20_000;

/** Resolves when the server is ready; what was prepared is removed when it does not start. */
export async function startServer(program: Program): Promise<PrivateServer> {
  const server = new Server(program);
  try {
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

class Server implements PrivateServer {
  readonly url: string;
  readonly port: number;
  readonly #program: Program;
  readonly #lifeline: Lifeline;
  readonly #output: string;
  #child: ChildProcess | undefined;

  constructor(program: Program) {
    this.url = program.url;
    this.port = program.port;
    this.#program = program;
    this.#output = join(program.directory, 'output');
    this.#lifeline = new Lifeline(program.temporary ? program.directory : undefined, program.lastSignal);
  }

  get pid(): number {
    const child = this.#running;
    if (!child?.pid) throw notRunning(this.#program.name);
    return child.pid;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    if (await accepts(this.port)) throw startFailed(this.#program.name, `port ${this.port} is already in use`, '');
    const child = await this.#spawn();
    const deadline = Date.now() + START_TIMEOUT;
    while (Date.now() < deadline) {
      if (child !== this.#running) throw startFailed(this.#program.name, 'it ended', await readFile(this.#output, 'utf8'));
      if (await this.#program.ready(this.pid)) return;
      await sleep(10);
    }
    throw startFailed(this.#program.name, `not ready after ${START_TIMEOUT} ms`, await readFile(this.#output, 'utf8'));
  }

  async stop(): Promise<void> {
    const child = this.#running;
    if (!child?.pid) return;
    const { pid } = child;
    const gone = this.#gone(child);
    signalTree(pid, 'SIGCONT');
    child.kill(this.#program.stopSignal);
    const deadline = setTimeout(() => signalWholeTree(pid, 'SIGKILL'), STOP_TIMEOUT);
    await gone;
    clearTimeout(deadline);
  }

  async kill(): Promise<void> {
    const { pid } = this;
    const gone = this.#gone(this.#running);
    const members = signalWholeTree(pid, 'SIGKILL');
    await gone;
    await ended(members);
  }

  freeze(): void {
    signalWholeTree(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    signalTree(this.pid, 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#program.cleanUp?.();
    await this.#lifeline.cut();
  }

  get #running(): ChildProcess | undefined {
    const child = this.#child;
    return child?.pid && child.exitCode === null && child.signalCode === null ? child : undefined;
  }

  // A process group of its own: a Ctrl-C in the terminal reaches us and not the server.
  async #spawn(): Promise<ChildProcess> {
    const { command, args, directory: cwd, user } = this.#program;
    const output = openSync(this.#output, 'w');
    const child = spawn(command, args, { ...user, detached: true, stdio: ['ignore', output, output], cwd });
    closeSync(output);
    await once(child, 'spawn');
    this.#child = child;
    child.unref();
    this.#lifeline.guard(child.pid);
    child.once('exit', () => this.#lifeline.guard(undefined));
    return child;
  }

  async #gone(child: ChildProcess | undefined): Promise<void> {
    child?.ref();
    if (child) await once(child, 'exit');
  }
}
