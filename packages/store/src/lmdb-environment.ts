import { mkdir, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
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

/** In the first page of a database file, in words of 32 bits and the byte order of the machine. */
const MAGIC = { index: 6, value: 0xbe_ef_c0_de } as const;

/** An environment is opened once in a process: what closes it closes it for all. */
const shared = new Map<string, Shared>();

/** Creates the folder where it is missing. */
export async function openEnvironment(folder: string, name: string): Promise<LmdbEnvironment> {
  const lmdb = await importClient(() => import('lmdb'), { client: 'lmdb', url: name });
  await mkdir(folder, { recursive: true });
  const path = await realpath(folder);
  if (!shared.has(path)) await requireDatabase(join(path, 'data.mdb'));
  const environment = shared.get(path) ?? { databases: openDatabases(lmdb, path), users: 0 };
  environment.users++;
  shared.set(path, environment);
  return { ...environment.databases, close: () => release(path, environment) };
}

/** A file that lmdb cannot read ends the process. One that is empty, or not there, becomes a database. */
async function requireDatabase(file: string): Promise<void> {
  const opened = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!opened) return;
  try {
    const { bytesRead, buffer } = await opened.read(new Uint32Array(MAGIC.index + 1));
    if (bytesRead === 0 || buffer[MAGIC.index] === MAGIC.value) return;
  } finally {
    await opened.close();
  }
  throw new Error(`${file} is damaged, or not LMDB's: put back a copy of it, or move it away and begin anew`);
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
function openDatabases(lmdb: typeof Lmdb, path: string): Omit<LmdbEnvironment, 'close'> {
  const root = lmdb.open({ path, noSubdir: false, overlappingSync: false, eventTurnBatching: false });
  return {
    root,
    records: root.openDB({ name: 'records', keyEncoding: 'binary' }),
    expiries: root.openDB({ name: 'expiries', keyEncoding: 'binary', encoding: 'binary' }),
    counters: root.openDB({ name: 'counters' }),
  };
}
