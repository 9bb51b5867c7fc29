// The store that all plugins of the project share which are not given their own.
import { resolve } from 'node:path';
import { createContainer } from '@warren/core';
import type { DependencyContainer } from '@warren/core';
import { createStore, STORE } from '@warren/store';
import type { Store } from '@warren/store';
import type { LoadedConfig } from './config.js';

export interface ProjectStore {
  /** Undefined where the configuration's own container has one, whose owner closes it. */
  readonly store: Store | undefined;
  /** For the worker, as its parent. */
  readonly container: DependencyContainer;
}

/** Connects nothing: a store does that at its first call. Throws `ERR_STORE_URL`. */
export function projectStore({ values, origins, cwd }: LoadedConfig): ProjectStore {
  const container = createContainer(values.container);
  const has = origins.store === 'default' && container.isRegistered(STORE, true);
  if (has || values.store === undefined) return { store: undefined, container };
  // Relative to the project, as all that its configuration names.
  const folder = folderOf(values.store, cwd);
  const store = createStore(folder === undefined ? values.store : `${LMDB}${folder}`);
  container.register(STORE, { useValue: store });
  return { store, container };
}

const LMDB = 'lmdb:';

/** The folder of an LMDB store. */
export function folderOf(url: string, cwd: string): string | undefined {
  return url.startsWith(LMDB) && url !== LMDB ? resolve(cwd, url.slice(LMDB.length)) : undefined;
}
