import { mkdir, realpath } from 'node:fs/promises';
import type { Database, RootDatabase } from 'lmdb';
import type * as Lmdb from 'lmdb';
import { importClient } from './import-client.js';

/** Of a record. The moments are those of the machine's clock. */
export type StoredRecord = readonly [version: number, written: number, expires: number | null, value: string];

export interface LmdbEnvironment {
  readonly root: RootDatabase;
  /** By the key's UTF-8. */
  readonly records: Database<StoredRecord, Buffer>;
  /** The keys that expire, each after eight bytes of the moment when it does: in the order of their expiry. */
  readonly expiries: Database<Buffer, Buffer>;
  readonly counters: Database<number, string>;
  /** Closes it for whoever has opened it. */
  close(): Promise<void>;
}

interface Shared {
  readonly databases: Omit<LmdbEnvironment, 'close'>;
  users: number;
}

/** An environment is opened once in a process: what closes it closes it for all. */
const shared = new Map<string, Shared>();

/** Creates the folder where it is missing. */
export async function openEnvironment(folder: string, name: string): Promise<LmdbEnvironment> {
  const lmdb = await importClient(() => import('lmdb'), { client: 'lmdb', url: name });
  await mkdir(folder, { recursive: true });
  const path = await realpath(folder);
  const environment = shared.get(path) ?? { databases: openDatabases(lmdb, path), users: 0 };
  environment.users++;
  shared.set(path, environment);
  return { ...environment.databases, close: () => release(path, environment) };
}

async function release(path: string, environment: Shared): Promise<void> {
  environment.users--;
  if (environment.users > 0) return;
  shared.delete(path);
  await environment.databases.root.close();
}

/**
 * Without overlapping syncs a transaction is on disk when it is seen by others, and when its promise resolves. The batches of a turn of the
 * event loop have a promise that nobody can have: where a commit failed, as on a full disk, it would end the process.
 */
function openDatabases({ open }: typeof Lmdb, path: string): Omit<LmdbEnvironment, 'close'> {
  const root = open({ path, noSubdir: false, overlappingSync: false, eventTurnBatching: false });
  return {
    root,
    records: root.openDB({ name: 'records', keyEncoding: 'binary' }),
    expiries: root.openDB({ name: 'expiries', keyEncoding: 'binary', encoding: 'binary' }),
    counters: root.openDB({ name: 'counters' }),
  };
}
