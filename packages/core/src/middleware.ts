// The layers that core itself puts around a handler, as plugins put theirs: outermost the concurrency limit, innermost the
// timeout, so that a job's time runs only while it runs.
import type { Clock } from './clock.js';
import { JobTimeoutError, UnrecoverableError } from './errors.js';
import type { HandlerFunction } from './handler.js';
import type { Job } from './job.js';
import { ack, deadLetter, done, isOutcome, requeue, retry } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Awaitable, Consume } from './plugin.js';

/** The innermost layer: from here on a failure is an outcome, not an exception. */
export function invoke(handler: HandlerFunction<unknown>): Consume {
  return (job) => {
    try {
      const returned = handler(job);
      return isThenable(returned) ? returned.then(succeeded, failed) : succeeded(returned);
    } catch (error) {
      return failed(error);
    }
  };
}

function succeeded(returned: unknown): Outcome {
  if (returned === undefined) return ack;
  return isOutcome(returned) ? returned : done(returned);
}

/** What a thrown error means. */
export function failed(error: unknown): Outcome {
  return error instanceof UnrecoverableError ? deadLetter(error) : retry({ error });
}

export function isThenable<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}

/** Aborts a job's signal after `ms` milliseconds and calls it failed; what its handler does afterwards is ignored. */
export function timeout(next: Consume, ms: number, clock: Clock): Consume {
  return (job) =>
    new Promise((resolve, reject) => {
      const cancel = clock.schedule(ms, () => {
        const error = new JobTimeoutError({ job: job.name, ms });
        job.abort(error);
        resolve(retry({ error }));
      });
      Promise.resolve(next(job)).then(resolve, reject).finally(cancel);
    });
}

/** Runs at most `limit` jobs at a time; the others wait in order of arrival, and go back when the worker stops. */
export function concurrency(next: Consume, limit: number, stopping: AbortSignal): Consume {
  let slots = limit;
  const waiting: Array<(hasSlot: boolean) => void> = [];
  // A slot is handed on, not given up, where somebody waits: nobody can come in between.
  const release = (outcome: Outcome): Outcome => {
    const first = waiting.shift();
    if (first) first(true);
    else slots++;
    return outcome;
  };
  const run = (job: Job): Awaitable<Outcome> => {
    try {
      const outcome = next(job);
      return isThenable(outcome) ? outcome.then(release, (error: unknown) => release(failed(error))) : release(outcome);
    } catch (error) {
      return release(failed(error));
    }
  };
  const wait = async (job: Job): Promise<Outcome> => {
    const hasSlot = await new Promise<boolean>((resolve) => waiting.push(resolve));
    if (!hasSlot) return requeue;
    // A job whose channel has closed meanwhile is delivered again: it runs then.
    return job.delivery.lost ? release(requeue) : run(job);
  };
  stopping.addEventListener('abort', () => waiting.splice(0).forEach((first) => first(false)), { once: true });
  return (job) => {
    if (slots === 0) return wait(job);
    slots--;
    return run(job);
  };
}
