import { InvalidOptionError } from '@warren/core';
import type { Job } from '@warren/core';
import { StoreError, StoreLimitError } from '@warren/store';
import type { Lease } from '@warren/store';
import type { TaskRecord } from './record.js';

/** Bytes of JSON: leaves room in the record for what else it holds, so that the attempt's end can be written. */
const MAX_CHECKPOINT_BYTES = 200 * 2 ** 10;

/** Gives a task's job what only tasks have; without a record to write to, that keeps nothing. */
export function equip(job: Job, lease: Lease<TaskRecord> | undefined): void {
  if (!lease) {
    job.progress = job.checkpoint = async () => {};
    return;
  }
  const progress = new Progress(lease);
  job.checkpointed = lease.value.checkpoint;
  job.progress = (fraction) => progress.report(fraction);
  job.checkpoint = async (checkpoint) => {
    requireSize(checkpoint);
    await lease.update((record) => ({ ...record, checkpoint }));
  };
}

function requireSize(checkpoint: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(checkpoint) ?? '');
  if (bytes <= MAX_CHECKPOINT_BYTES) return;
  throw new StoreLimitError({ what: 'A checkpoint', limit: `${MAX_CHECKPOINT_BYTES} bytes of JSON`, got: `${bytes}` });
}

/** Written one at a time: what is reported meanwhile replaces what was not written yet. */
class Progress {
  readonly #lease: Lease<TaskRecord>;
  #reported = 0;
  #writing: Promise<void> | undefined;

  constructor(lease: Lease<TaskRecord>) {
    this.#lease = lease;
  }

  report(fraction: number): Promise<void> {
    if (!(typeof fraction === 'number' && fraction >= 0 && fraction <= 1)) {
      throw new InvalidOptionError({ option: 'progress', expected: 'a number from 0 to 1', got: fraction });
    }
    this.#reported = fraction;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  /** Nobody's work fails because its progress cannot be shown. */
  async #write(): Promise<void> {
    try {
      while (this.#lease.value.progress !== this.#reported) {
        const progress = this.#reported;
        await this.#lease.update((record) => ({ ...record, progress }));
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
}
