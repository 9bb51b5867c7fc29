// Workers in processes of their own, and the stores that they share.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createWorker } from '@warren/core';
import type { Worker } from '@warren/core';
import { startPostgres, startRedis, withPostgres, withRedis } from '@warren/store-servers';
import type { PrivateServer } from '@warren/store-servers';
import { freshBroker } from '@warren/test-broker';
import type { TestBroker } from '@warren/test-broker';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Client } from 'pg';
import { taskOn } from './_victim.js';
import type { VictimOptions } from './_victim.js';

const ENTRY = fileURLToPath(new URL('_victim.js', import.meta.url));

/** A server for all tests of a file; it ends with the file's process. */
function shared(start: () => Promise<PrivateServer>): () => Promise<string> {
  let server: Promise<PrivateServer> | undefined;
  return async () => (await (server ??= start())).url;
}

const redis = shared(startRedis);
const postgres = shared(startPostgres);

export interface Effects {
  readonly at: VictimOptions['effects'];
  /** The tasks that had an effect, each as often as it had one. */
  all(): Promise<number[]> | number[];
}

export interface Candidate {
  readonly test: typeof test.serial.skip;
  readonly store: (t: ExecutionContext) => Promise<string>;
  readonly effects: (t: ExecutionContext, store: string) => Promise<Effects>;
}

/** Every way to keep keys and effects. */
export const CANDIDATES: Record<'LMDB' | 'Redis' | 'PostgreSQL' | 'a PostgreSQL transaction', Candidate> = {
  LMDB: { test: test.serial, store: async (t) => `lmdb:${await folder(t)}`, effects: inFile },
  Redis: { test: withRedis(test.serial), store: redis, effects: inFile },
  PostgreSQL: { test: withPostgres(test.serial), store: postgres, effects: inFile },
  'a PostgreSQL transaction': { test: withPostgres(test.serial), store: postgres, effects: inTable },
};

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'warren-idempotency-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function inFile(t: ExecutionContext): Promise<Effects> {
  const file = join(await folder(t), 'effects');
  const read = (): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  return { at: { file }, all: () => read().split('\n').filter(Boolean).map(Number) };
}

async function inTable(t: ExecutionContext, connectionString: string): Promise<Effects> {
  const client = new Client({ connectionString });
  await client.connect();
  t.teardown(() => client.end());
  const table = `effects_${randomUUID().replaceAll('-', '')}`;
  await client.query(`CREATE TABLE ${table} (task integer NOT NULL)`);
  const all = async (): Promise<number[]> => {
    const { rows } = await client.query<{ task: number }>(`SELECT task FROM ${table}`);
    return rows.map(({ task }) => task);
  };
  return { at: { table }, all };
}

/** A queue, a store, and the workers on them; all of it ends with the test. */
export class Scene {
  readonly #t: ExecutionContext;
  readonly #options: Omit<VictimOptions, 'crash'>;
  readonly broker: TestBroker;
  readonly effects: Effects;
  readonly publisher: Worker;

  private constructor(t: ExecutionContext, parts: Pick<Scene, 'broker' | 'effects' | 'publisher'>, options: VictimOptions) {
    this.#t = t;
    this.broker = parts.broker;
    this.effects = parts.effects;
    this.publisher = parts.publisher;
    this.#options = options;
  }

  static async open(t: ExecutionContext, candidate: Candidate, options: Partial<VictimOptions> = {}): Promise<Scene> {
    const [broker, store] = await Promise.all([freshBroker(t), candidate.store(t)]);
    const effects = await candidate.effects(t, store);
    const publisher = createWorker({ url: broker.url });
    await publisher.start();
    t.teardown(() => publisher.stop({ deadline: 2_000 }));
    const queue = `idempotency.${randomUUID()}`;
    return new Scene(t, { broker, effects, publisher }, { amqp: broker.url, store, queue, effects: effects.at, ...options });
  }

  /** A worker that takes jobs; killed with the test at the latest. */
  async worker(options: Pick<VictimOptions, 'crash'> = {}): Promise<ChildProcess> {
    const child = fork(ENTRY, { stdio: 'inherit' });
    this.#t.teardown(() => kill(child));
    child.send({ ...this.#options, ...options });
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    return child;
  }

  async publish(payload: number, messageId = `task-${payload}`): Promise<void> {
    await this.publisher.publish(taskOn(this.#options.queue), payload, { messageId });
  }

  /** Until every message is acknowledged. */
  async settled(): Promise<void> {
    for (;;) {
      const { ready, unacked } = await this.broker.counts(this.#options.queue);
      if (ready + unacked === 0) return;
      await sleep(100);
    }
  }
}

/** kill -9; resolves when it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
