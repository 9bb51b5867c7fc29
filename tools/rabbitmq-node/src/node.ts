import { rabbitmqctl } from './ctl.js';
import { notInstalled, notRunning } from './errors.js';
import { findRabbit } from './installation.js';
import { Lifeline } from './lifeline.js';
import { type NodeFiles, prepareFiles, type RabbitOptions } from './node-files.js';
import { Server } from './server.js';

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

/** Milliseconds that a clean stop may take before the node is killed. */
const STOP_TIMEOUT = 30_000;

/** Starts a node and resolves when it takes connections, after 3 to 4 s; rejects with `ERR_RABBITMQ_NOT_INSTALLED` or `ERR_RABBITMQ_START`. */
export async function startRabbit(options: RabbitOptions = {}): Promise<RabbitNode> {
  const scripts = findRabbit();
  if (!scripts) throw notInstalled();
  const node = new PrivateNode(await prepareFiles(scripts, options));
  try {
    await node.start();
    return node;
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

class PrivateNode implements RabbitNode {
  readonly url: string;
  readonly port: number;
  readonly managementUrl: string | undefined;
  readonly #files: NodeFiles;
  readonly #lifeline: Lifeline;
  #server: Server | undefined;

  constructor(files: NodeFiles) {
    const { port, managementPort, temporary, directory } = files;
    this.url = `amqp://guest:guest@127.0.0.1:${port}`;
    this.port = port;
    this.managementUrl = managementPort === undefined ? undefined : `http://guest:guest@127.0.0.1:${managementPort}`;
    this.#files = files;
    this.#lifeline = new Lifeline(temporary ? directory : undefined);
  }

  get pid(): number {
    return this.#running.pid;
  }

  ctl(...args: string[]): Promise<string> {
    return rabbitmqctl(this.#files, args);
  }

  eval(expression: string): Promise<string> {
    return this.ctl('eval', expression);
  }

  async closeConnections(reason = 'closed on request'): Promise<void> {
    await this.ctl('close_all_connections', '--global', reason);
  }

  async start(): Promise<void> {
    if (this.#server?.running) return;
    this.#server = await Server.start(this.#files, this.#lifeline);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server?.running) return;
    server.signal('SIGCONT');
    server.signal('SIGTERM');
    const deadline = setTimeout(() => server.killGroup(), STOP_TIMEOUT);
    await server.gone();
    clearTimeout(deadline);
  }

  async kill(): Promise<void> {
    const server = this.#running;
    server.signal('SIGKILL');
    await server.gone();
  }

  freeze(): void {
    this.#running.signal('SIGSTOP');
  }

  thaw(): void {
    this.#running.signal('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#lifeline.cut();
  }

  get #running(): Server {
    if (!this.#server?.running) throw notRunning(this.#files.node);
    return this.#server;
  }
}
