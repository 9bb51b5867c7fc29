import { resolve } from 'node:path';
import { StoreUrlError } from './errors.js';
import { GuardedStore } from './guarded-store.js';
import { openEnvironment } from './lmdb-environment.js';
import { LmdbStore } from './lmdb-store.js';
import type { Store } from './store.js';

const SCHEME = 'lmdb:';

/** Two slashes are those before a host, which there is none of: `lmdb://data` would be the folder `/data`. */
const HOST = /^\/\/[^/]/;

/** `lmdb:./folder`, relative to the working directory. Throws `ERR_STORE_URL`. */
export function lmdbStore(url: string, { timeout }: { readonly timeout: number }): Store {
  const path = url.slice(SCHEME.length);
  if (path === '' || path.includes('\0') || HOST.test(path)) throw new StoreUrlError({ got: url });
  const folder = resolve(path);
  return new GuardedStore({ name: url, timeout, open: async () => new LmdbStore(await openEnvironment(folder, url)) });
}
