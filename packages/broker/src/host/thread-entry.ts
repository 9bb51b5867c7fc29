import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { Settings } from '../options.js';
import type { Host } from './host.js';
import { startLocal } from './local.js';
import { packError, type Request, type Response, type Started } from './messages.js';

// The broker's thread: starts a broker and does what the program asks of it.

const port = parentPort as MessagePort;

async function answer(id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    port.postMessage({ id, result: await work() } satisfies Response);
  } catch (error) {
    port.postMessage({ id, error: packError(error) } satisfies Response);
  }
}

async function start(): Promise<Started> {
  const host: Host = await startLocal(workerData as Settings);
  port.on('message', ({ id, name, args }: Request) => {
    void answer(id, () => (name === 'close' ? host.close() : host.call(name, args)));
  });
  return { ports: host.ports };
}

void answer(0, start);
