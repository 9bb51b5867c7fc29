import { mkdir } from 'node:fs/promises';
import type { Broker } from '../broker.js';
import { StoreUnavailableError } from '../errors.js';
import { lockDirectory } from './directory-lock.js';
import { LmdbStore, type Databases } from './lmdb-store.js';
import { restore } from './restore.js';

/** Opens the store in a directory, brings back what it has kept, and lets the broker use it from then on. */
export async function openStore(broker: Broker, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const unlock = await lockDirectory(directory);
  try {
    const databases = await openDatabases(directory);
    const queues = restore(broker, databases);
    broker.store = new LmdbStore(databases, { failed: (error) => broker.fail(error), closed: unlock });
    // Only now: what has expired in the meantime goes to where dead letters go, and that is stored again.
    for (const queue of queues) queue.dispatch();
  } catch (error) {
    await unlock();
    throw new StoreUnavailableError(directory, error);
  }
}

/** lmdb has a native part: it is loaded only when something is to be kept. */
async function openDatabases(directory: string): Promise<Databases> {
  const { open } = await import('lmdb');
  const root = open({ path: directory, maxDbs: 8, overlappingSync: true });
  return {
    root,
    definitions: root.openDB({ name: 'definitions', encoding: 'json' }),
    messages: root.openDB({ name: 'messages', encoding: 'binary', keyEncoding: 'binary' }),
    contents: root.openDB({ name: 'contents', encoding: 'binary', keyEncoding: 'binary' }),
    counts: root.openDB({ name: 'counts', encoding: 'json', keyEncoding: 'binary' }),
    delivered: root.openDB({ name: 'delivered', encoding: 'json', keyEncoding: 'uint32' }),
  };
}
