// Every error of @warren/store.
import { ConfigurationError, WorkerError } from '@warren/core';

interface Cause {
  readonly cause?: unknown;
}

// ---------------------------------------------------------------- before a store is used

export class StoreUrlError extends ConfigurationError {
  readonly code = 'ERR_STORE_URL';
  /** `got` without its password. */
  constructor(facts: { got: string }) {
    super(
      `Store: expected memory:, lmdb:./folder, redis://host:6379 or postgres://user:password@host:5432/database, got ${facts.got || 'nothing'}.`,
    );
  }
}

export class StoreClientMissingError extends ConfigurationError {
  readonly code = 'ERR_STORE_CLIENT_MISSING';
  constructor(facts: { client: string; url: string; cause: unknown }) {
    super(
      `The store ${facts.url} needs the package "${facts.client}", which is not installed: npm install ${facts.client}`,
      facts,
    );
  }
}

export class StoreNotTransactionalError extends ConfigurationError {
  readonly code = 'ERR_STORE_NOT_TRANSACTIONAL';
  constructor(facts: { job: string }) {
    super(`Job "${facts.job}" asks for a transaction, and its store has none: use a postgres:// store, or leave the option out.`);
  }
}

// ---------------------------------------------------------------- StoreError: while it is used

/** A store did not do what was asked of it. */
export abstract class StoreError extends WorkerError {}

export class StoreUnavailableError extends StoreError {
  readonly code = 'ERR_STORE_UNAVAILABLE';
  constructor(facts: { store: string; cause: unknown }) {
    const why = facts.cause instanceof Error ? facts.cause.message || facts.cause.name : String(facts.cause);
    super(`The store ${facts.store} cannot be used: ${why.replace(/\.+$/, '')}. Check that it runs, and its address.`, facts);
  }
}

export class StoreTimeoutError extends StoreError {
  readonly code = 'ERR_STORE_TIMEOUT';
  constructor(facts: { store: string; ms: number }) {
    super(`The store ${facts.store} did not answer within ${facts.ms} ms.`);
  }
}

export class StoreClosedError extends StoreError {
  readonly code = 'ERR_STORE_CLOSED';
  constructor(facts: { store: string }) {
    super(`The store ${facts.store} is closed: use it before its worker has stopped.`);
  }
}

export class StoreLimitError extends StoreError {
  readonly code = 'ERR_STORE_LIMIT';
  constructor(facts: { what: string; limit: string; got: string }) {
    super(`Store: ${facts.what} is limited to ${facts.limit}, got ${facts.got}.`);
  }
}

export class CorruptRecordError extends StoreError {
  readonly code = 'ERR_STORE_RECORD_CORRUPT';
  constructor(facts: { key: string } & Cause) {
    super(`The store's record "${facts.key}" is not JSON: somebody else writes under this key.`, facts);
  }
}

/** Nothing that was done in the transaction has happened. */
export class TransactionNotCommittedError extends StoreError {
  readonly code = 'ERR_STORE_NOT_COMMITTED';
  constructor(facts: { cause: Error }) {
    super(`PostgreSQL has rolled the transaction back instead of committing it: ${facts.cause.message}.`, facts);
  }
}

/** A lease was not renewed in time, and somebody else may have taken it: what its holder does from now on counts for nothing. */
export class LeaseLostError extends StoreError {
  readonly code = 'ERR_LEASE_LOST';
  constructor(facts: { key: string } & Cause) {
    super(`The lease on "${facts.key}" is lost: another worker may do its work. Stop, and change nothing more.`, facts);
  }
}
