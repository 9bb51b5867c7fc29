// @warren/store: small records by key, with expiry, changed atomically. What each store guarantees: docs/stores.md.
export * from './errors.js';
export { Lease } from './lease.js';
export type { LeaseOptions } from './lease.js';
export { LONGEST_TTL } from './limits.js';
export { Records } from './records.js';
export type { RecordEntry } from './records.js';
export { isTransactional, STORE } from './store.js';
export type { Entry, ListedEntry, PutOptions, Store, Transaction, TransactionalStore } from './store.js';
export { GuardedStore } from './guarded-store.js';
export type { GuardOptions, StoreClient } from './guarded-store.js';
export { createStore } from './create.js';
export type { CreateStoreOptions } from './create.js';
export { provideStore, requireStore } from './provide.js';
export type { ProvidedStore } from './provide.js';
