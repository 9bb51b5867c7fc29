import { Worker } from 'node:worker_threads';
import { BrokerClosedError, BrokerError } from '../errors.js';
import type { Settings } from '../options.js';
import type { CommandName, Host } from './host.js';
import type { Request, Response, Started } from './messages.js';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: BrokerError): void;
}

/** Runs a broker on a thread of its own, so that a busy program delays neither heartbeats nor expiries. */
export async function startThread(settings: Settings): Promise<Host> {
  const thread = new BrokerThread(settings);
  const { ports } = await thread.started;
  return { ports, call: (name, args) => thread.call(name, args), close: () => thread.close() };
}

class BrokerThread {
  readonly started: Promise<Started>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended: BrokerClosedError | undefined;

  constructor(settings: Settings) {
    // The program's own flags are not for this thread: `--input-type`, for one, would keep it from starting.
    this.#worker = new Worker(new URL('./thread-entry.js', import.meta.url), {
      workerData: settings,
      name: 'warren-broker',
      execArgv: [],
    });
    this.started = this.#answer(0) as Promise<Started>;
    this.#worker.on('message', (response: Response) => this.#answered(response));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(undefined));
  }

  call(name: CommandName | 'close', args: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage({ id, name, args } satisfies Request);
    return this.#answer(id);
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.call('close', []);
    await this.#worker.terminate();
  }

  #answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #answered(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('error' in response) waiting?.reject(new BrokerError(response.error.code, response.error.message));
    else waiting?.resolve(response.result);
  }

  #end(cause: unknown): void {
    this.#ended ??= new BrokerClosedError(cause);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}
