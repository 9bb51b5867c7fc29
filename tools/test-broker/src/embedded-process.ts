import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@warren/rabbitmq-node';
import type { ExecutionContext } from 'ava';
import { Embedded } from './embedded.js';
import type { BreakableBroker } from './test-broker.js';

const ENTRY = fileURLToPath(new URL('embedded-process-entry.js', import.meta.url));

/** An embedded broker in a process of its own, which ends with the test; what is durable is kept in a folder, until then. */
export async function inProcess(t: ExecutionContext): Promise<BreakableBroker> {
  const data = await mkdtemp(join(tmpdir(), 'warren-broker-'));
  const ports = { port: await freePort(), managementPort: await freePort() };
  const broker = new EmbeddedProcess(ports, data);
  t.teardown(async () => {
    await broker.stop();
    await rm(data, { recursive: true, force: true });
  });
  await broker.start();
  return broker;
}

class EmbeddedProcess extends Embedded implements BreakableBroker {
  readonly port: number;
  readonly #args: string[];
  #child: ChildProcess | undefined;

  constructor(ports: { port: number; managementPort: number }, data: string) {
    super(ports);
    this.port = ports.port;
    this.#args = [String(ports.port), String(ports.managementPort), data];
  }

  async connections(): Promise<number> {
    return (await this.names('connections')).length;
  }

  async closeConnections(): Promise<void> {
    for (const name of await this.names('connections')) await this.call('DELETE', `connections/${encodeURIComponent(name)}`);
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async start(): Promise<void> {
    if (this.#child) return;
    // It ends when its stdin does, however this process goes.
    const child = spawn(process.execPath, [ENTRY, ...this.#args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [unknown];
    if (!Buffer.isBuffer(said)) throw new Error('The broker ended before it listened.');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
}
