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
  let running = 0;
  const waiting: Array<(mayRun: boolean) => void> = [];
  // The place goes straight to the next in line: a job that arrives in between may not take it.
  const release = (): void => {
    const turn = waiting.shift();
    if (turn) turn(true);
    else running--;
  };
  const run = (job: Job): Awaitable<Outcome> => {
    let outcome: Awaitable<Outcome>;
    try {
      outcome = next(job);
    } catch (error) {
      release();
      throw error;
    }
    if (isThenable(outcome)) return outcome.finally(release);
    release();
    return outcome;
  };
  stopping.addEventListener('abort', () => waiting.splice(0).forEach((turn) => turn(false)), { once: true });
  return (job) => {
    if (running < limit) {
      running++;
      return run(job);
    }
    return new Promise<boolean>((resolve) => waiting.push(resolve)).then((mayRun) => (mayRun ? run(job) : requeue));
  };
}
