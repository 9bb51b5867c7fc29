import type { DependencyContainer } from '@warren/core';
import { createStore } from './create.js';
import { STORE } from './store.js';
import type { Store } from './store.js';

/** A store, and whether it is to be closed by whom it was provided to. */
export interface ProvidedStore {
  readonly store: Store;
  readonly owned: boolean;
}

/**
 * The store of a plugin: the one it was given, the one at the URL it was given, else the one under `STORE`; where there is none, that at
 * `WARREN_STORE` or in `.warren/store`, from then on under `STORE` for all plugins of the worker. Throws `ERR_STORE_URL`.
 */
export function provideStore(container: DependencyContainer, given?: string | Store): ProvidedStore {
  if (typeof given === 'string') return { store: createStore(given), owned: true };
  if (given) return { store: given, owned: false };
  if (container.isRegistered(STORE, true)) return { store: container.resolve(STORE), owned: false };
  const store = createStore(process.env['WARREN_STORE'] ?? 'lmdb:.warren/store');
  container.register(STORE, { useValue: store });
  return { store, owned: true };
}
