import { retry } from '@warren/core';
import type { Job, Outcome } from '@warren/core';
import { Records, StoreError, TransactionNotCommittedError } from '@warren/store';
import type { Lease, Store, Transaction, TransactionalStore } from '@warren/store';
import { PREFIX } from './key.js';
import { LentClient } from './lent-client.js';
import { done } from './record.js';
import type { KeyRecord } from './record.js';
import { refused, release } from './run.js';
import type { Run, RunParts } from './run.js';

/** Makes the store roll back; seen by nobody else. */
class Rollback extends Error {}

/** The handler and the mark in one transaction: what the handler did there and the mark are both there, or neither. */
export class TransactionalRun implements Run {
  readonly #parts: RunParts;
  readonly #store: TransactionalStore;

  constructor(parts: RunParts, store: TransactionalStore) {
    this.#parts = parts;
    this.#store = store;
  }

  async run(job: Job, lease: Lease<KeyRecord> | undefined): Promise<Outcome> {
    let outcome: Outcome | undefined;
    try {
      return await this.#store.transaction(async (transaction, inside) => {
        outcome = await this.#inside(job, transaction);
        if (outcome.kind !== 'ack') throw new Rollback();
        if (lease) await this.#mark(lease, outcome.result, inside);
        return outcome;
      });
    } catch (error) {
      // Deletes nothing where the transaction was committed without our hearing of it: the mark has another version.
      if (lease) await release(lease, this.#parts);
      if (lease?.lost) return refused(job, lease.lost, this.#parts);
      if (outcome && outcome.kind !== 'ack') return outcome;
      if (!(error instanceof StoreError)) throw error;
      const refusal = refusalOf(error);
      return refusal ? retry({ error: refusal }) : refused(job, error, this.#parts);
    }
  }

  async #inside(job: Job, transaction: Transaction): Promise<Outcome> {
    const lent = new LentClient(transaction);
    job.transaction = lent.client;
    try {
      return await this.#parts.next(job);
    } finally {
      lent.takeBack();
    }
  }

  #mark(lease: Lease<KeyRecord>, result: unknown, inside: Store): Promise<void> {
    const { ttl, maxResultBytes } = this.#parts.settings;
    const records = new Records<KeyRecord>(inside, PREFIX);
    return lease.end((value) => done(value, result, maxResultBytes), { ttl, records });
  }
}

/** What the database has refused of what the handler did: a failure as any other, which a connection that was lost is not. */
function refusalOf(error: StoreError): TransactionNotCommittedError | undefined {
  if (error instanceof TransactionNotCommittedError) return error;
  const { cause } = error;
  const refused = cause instanceof Error && 'severity' in cause && cause.severity === 'ERROR';
  // The mark itself, where the handler went on after a statement had failed.
  return refused ? new TransactionNotCommittedError({ cause }) : undefined;
}
