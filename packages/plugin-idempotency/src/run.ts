import type { Consume, Job, Logger, Outcome } from '@warren/core';
import type { Lease } from '@warren/store';
import type { Absence } from './absence.js';
import type { Settings } from './options.js';
import { done } from './record.js';
import type { KeyRecord } from './record.js';

export interface RunParts {
  readonly next: Consume;
  readonly settings: Settings;
  readonly absence: Absence;
  readonly logger: Logger;
}

/** Runs a job's handler; with a lease, marks its key as done, or frees it. */
export interface Run {
  run(job: Job, lease: Lease<KeyRecord> | undefined): Promise<Outcome> | Outcome;
}

/** The handler first, then the mark: a crash in between runs the handler again. */
export class PlainRun implements Run {
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  run(job: Job, lease: Lease<KeyRecord> | undefined): Promise<Outcome> | Outcome {
    return lease ? this.#leased(job, lease) : this.#parts.next(job);
  }

  async #leased(job: Job, lease: Lease<KeyRecord>): Promise<Outcome> {
    const { next, settings } = this.#parts;
    let outcome: Outcome | undefined;
    try {
      outcome = await next(job);
    } finally {
      if (outcome?.kind !== 'ack') await release(lease, this.#parts);
    }
    if (lease.lost) return refused(job, lease.lost, this.#parts);
    if (outcome.kind !== 'ack') return outcome;
    const { result } = outcome;
    try {
      await lease.end((value) => done(value, result, settings.maxResultBytes), { ttl: settings.ttl });
      return outcome;
    } catch (error) {
      return refused(job, error, this.#parts);
    }
  }
}

/** Frees the key of a run that failed, for its retry. Where the store is away, the lease runs out. */
export async function release(lease: Lease<KeyRecord>, { logger }: Pick<RunParts, 'logger'>): Promise<void> {
  try {
    await lease.release();
  } catch (error) {
    logger.warn({ err: error }, 'idempotency: a key could not be freed; its lease runs out');
  }
}

/** A completion that does not count: the job comes again, uncharged, and finds out how its key ended. */
export function refused(job: Job, error: unknown, { absence, logger }: RunParts): Promise<Outcome> {
  const { name, messageId } = job;
  logger.warn({ err: error, job: name, messageId }, 'idempotency: a run is not marked as done; the job comes again');
  return absence.away(job);
}
