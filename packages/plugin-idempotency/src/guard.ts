import { deadLetter, done } from '@warren/core';
import type { Awaitable, Job, Logger, Outcome } from '@warren/core';
import { CorruptRecordError } from '@warren/store';
import type { Absence } from './absence.js';
import type { Claim, Claims } from './claims.js';
import { IdempotencyConflictError } from './errors.js';
import { keyOf, recordName } from './key.js';
import type { KeyFunction } from './key.js';
import type { Settings } from './options.js';
import type { Outage } from './outage.js';
import { fingerprintOf } from './record.js';
import type { Done } from './record.js';
import type { Run } from './run.js';

export interface GuardParts {
  readonly claims: Claims;
  readonly run: Run;
  readonly absence: Absence;
  readonly outage: Outage;
  readonly settings: Settings;
  /** Where the handler's keys count. */
  readonly scope: string;
  /** The handler's own. */
  readonly key: KeyFunction | undefined;
  readonly logger: Logger;
}

/** The layer that lets of several jobs with one key one run at a time, and none after it has succeeded. */
export class Guard {
  readonly #parts: GuardParts;

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  run(job: Job): Awaitable<Outcome> {
    const key = keyOf(job, this.#parts.key);
    if (key === undefined) return this.#parts.run.run(job, undefined);
    job.idempotencyKey = key;
    const fingerprint = fingerprintOf(job);
    return this.#parts.absence.until(job, () => this.#attempt(job, key, fingerprint));
  }

  async #attempt(job: Job, key: string, fingerprint: string): Promise<Outcome | number> {
    const { claims, outage, scope, settings, absence, run } = this.#parts;
    let claim: Claim;
    try {
      const onLost = (error: Error): void => job.abort(error);
      claim = await claims.claim({ key: recordName(scope, key), fingerprint, onLost });
      outage.over();
    } catch (error) {
      if (error instanceof CorruptRecordError) throw error;
      outage.failed(error);
      return settings.onStoreError === 'run' ? run.run(job, undefined) : absence.pause();
    }
    return this.#decide(job, key, claim);
  }

  #decide(job: Job, key: string, claim: Claim): Awaitable<Outcome | number> {
    if (claim.kind === 'conflict') return deadLetter(new IdempotencyConflictError({ job: job.name, key }));
    if (claim.kind === 'done') return this.#duplicate(job, claim.record);
    if (claim.kind === 'busy') return this.#parts.absence.poll(claim);
    job.fence = claim.lease.fence;
    return this.#parts.run.run(job, claim.lease);
  }

  #duplicate({ name, messageId }: Job, { result, omitted }: Done): Outcome {
    this.#parts.logger.debug({ job: name, messageId, omitted }, 'idempotency: a duplicate is acknowledged without running');
    return done(result);
  }
}
