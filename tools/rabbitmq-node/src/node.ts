import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ctlFailed, notInstalled, notRunning, startFailed } from './errors.js';
import { findRabbit } from './installation.js';
import { Lifeline } from './lifeline.js';
import { type NodeFiles, prepareFiles, type RabbitOptions } from './node-files.js';
import { accepts } from './ports.js';

/** A real RabbitMQ of our own on 127.0.0.1. It does not keep the process alive, and it ends with the process that started it. */
export interface RabbitNode extends AsyncDisposable {
  /** `amqp://guest:guest@127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** `http://guest:guest@127.0.0.1:PORT`, with the option `management` only. */
  readonly managementUrl: string | undefined;
  /** The process id of beam, another one after every start; `ERR_RABBITMQ_NOT_RUNNING` when there is none. */
  readonly pid: number;
  /** Runs rabbitmqctl and resolves to what it prints; rejects with `ERR_RABBITMQ_CTL`, which quotes its error output. Takes 0.4 s. */
  ctl(...args: string[]): Promise<string>;
  /** Evaluates an Erlang expression, which ends with a full stop, inside the node. */
  eval(expression: string): Promise<string>;
  /** Clean stop; resolves when the process is gone. Does nothing when it is not running. Takes about a second. */
  stop(): Promise<void>;
  /** kill -9; resolves when the process is gone and its port refuses connections. */
  kill(): Promise<void>;
  /** Starts again after `stop` or `kill`, on the same files and port; resolves when the node is ready. */
  start(): Promise<void>;
  /** SIGSTOP: the process keeps its sockets and answers nothing. */
  freeze(): void;
  /** SIGCONT after `freeze`. */
  thaw(): void;
  /** The broker closes every connection with 320 CONNECTION_FORCED. */
  closeConnections(reason?: string): Promise<void>;
  /** Stops the node and removes its folder, unless `directory` was given. */
  [Symbol.asyncDispose](): Promise<void>;
}

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 30_000;
const CTL_TIMEOUT = 120_000;

const run = promisify(execFile);

/** Starts a node and resolves when it takes connections, after 3 to 4 s; rejects with `ERR_RABBITMQ_NOT_INSTALLED` or `ERR_RABBITMQ_START`. */
export async function startRabbit(options: RabbitOptions = {}): Promise<RabbitNode> {
  const scripts = findRabbit();
  if (!scripts) throw notInstalled();
  const node = new PrivateNode(scripts, await prepareFiles(options));
  try {
    await node.start();
    return node;
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

class PrivateNode implements RabbitNode {
  readonly #scripts: string;
  readonly #files: NodeFiles;
  readonly #lifeline: Lifeline;
  #server: ChildProcess | undefined;
  #pid: number | undefined;

  constructor(scripts: string, files: NodeFiles) {
    this.#scripts = scripts;
    this.#files = files;
    this.#lifeline = new Lifeline(files.temporary ? files.directory : undefined);
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#files.port;
  }

  get managementUrl(): string | undefined {
    const { managementPort } = this.#files;
    return managementPort === undefined ? undefined : `http://guest:guest@127.0.0.1:${managementPort}`;
  }

  get pid(): number {
    if (!this.#pid || !this.#running) throw notRunning(this.#files.node);
    return this.#pid;
  }

  async ctl(...args: string[]): Promise<string> {
    const { node, env } = this.#files;
    const command = join(this.#scripts, 'rabbitmqctl');
    try {
      const { stdout } = await run(command, ['-q', '-n', node, ...args], { env, timeout: CTL_TIMEOUT, killSignal: 'SIGKILL' });
      return stdout.trimEnd();
    } catch (error) {
      throw ctlFailed(args, error);
    }
  }

  eval(expression: string): Promise<string> {
    return this.ctl('eval', expression);
  }

  async closeConnections(reason = 'closed on request'): Promise<void> {
    await this.ctl('close_all_connections', reason);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    if (await accepts(this.port)) throw startFailed(`port ${this.port} is already in use`, '');
    await rm(this.#files.pidFile, { force: true });
    this.#pid = undefined;
    this.#server = this.#spawn();
    try {
      await this.#ready();
      this.#pid = Number(await readFile(this.#files.pidFile, 'utf8'));
    } catch (error) {
      this.#killGroup();
      await this.#gone();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.thaw();
    this.#signal('SIGTERM');
    const deadline = setTimeout(() => this.#killGroup(), STOP_TIMEOUT);
    await this.#gone();
    clearTimeout(deadline);
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#gone();
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#lifeline.cut();
  }

  get #running(): boolean {
    return this.#server !== undefined && this.#server.exitCode === null && this.#server.signalCode === null;
  }

  // A process group of its own: a Ctrl-C in the terminal reaches us and not the node. epmd lives and ends with the node.
  #spawn(): ChildProcess {
    const output = openSync(this.#files.output, 'w');
    const script = 'epmd & "$0"/rabbitmq-server; kill $!; wait';
    const { env, directory } = this.#files;
    const server = spawn('sh', ['-c', script, this.#scripts], {
      detached: true,
      stdio: ['ignore', output, output],
      env,
      cwd: directory,
    });
    closeSync(output);
    this.#lifeline.guard(server.pid);
    server.once('exit', () => this.#lifeline.guard(undefined));
    server.unref();
    return server;
  }

  // await_startup fails at once while the node is unknown to epmd, so it is asked when the port is open, and asked again.
  async #ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT;
    while (Date.now() < deadline) {
      const output = await readFile(this.#files.output, 'utf8');
      if (/BOOT FAILED/.test(output) || !this.#running) throw startFailed('the boot failed', output);
      if ((await accepts(this.port)) && (await this.#startedUp())) return;
      await sleep(50);
    }
    throw startFailed(`not ready after ${START_TIMEOUT} ms`, await readFile(this.#files.output, 'utf8'));
  }

  #startedUp(): Promise<boolean> {
    return this.ctl('await_startup', '--timeout', String(START_TIMEOUT / 1_000)).then(
      () => true,
      () => false,
    );
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.pid;
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It has just ended by itself, and we have not heard of it yet.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  #killGroup(): void {
    if (this.#running && this.#server?.pid) process.kill(-this.#server.pid, 'SIGKILL');
  }

  // The shell ends when it has reaped the node, not before the last thread of a killed beam has let go of the port.
  async #gone(): Promise<void> {
    if (!this.#server || !this.#running) return;
    this.#server.ref();
    await once(this.#server, 'exit');
  }
}
