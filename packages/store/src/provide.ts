import { InvalidOptionError } from '@warren/core';
import type { DependencyContainer } from '@warren/core';
import { createStore } from './create.js';
import { STORE } from './store.js';
import type { Store } from './store.js';

/** A store, and whether it is to be closed by whom it was provided to. */
export interface ProvidedStore {
  readonly store: Store;
  readonly owned: boolean;
}

/** For the option `store` of a plugin. Throws `ERR_INVALID_OPTION` for what is neither a URL nor a store; nothing is fine. */
export function requireStore(got: unknown): asserts got is string | Store | undefined {
  if (got === undefined || typeof got === 'string') return;
  if (typeof got === 'object' && got !== null && 'putIfAbsent' in got) return;
  throw new InvalidOptionError({ option: 'store', expected: 'a store, or the URL of one as text', got });
}

/**
 * The store of a plugin: the one it was given, the one at the URL it was given, else the one under `STORE`; where there is none, that at
 * `WARREN_STORE` or in `.warren/store`, from then on under `STORE` for all plugins of the worker. Throws `ERR_STORE_URL` or `ERR_INVALID_OPTION`.
 */
export function provideStore(container: DependencyContainer, given?: string | Store): ProvidedStore {
  requireStore(given);
  if (typeof given === 'string') return { store: createStore(given), owned: true };
  if (given) return { store: given, owned: false };
  if (container.isRegistered(STORE, true)) return { store: container.resolve(STORE), owned: false };
  const store = createStore(process.env['WARREN_STORE'] ?? 'lmdb:.warren/store');
  container.register(STORE, { useValue: store });
  return { store, owned: true };
}
