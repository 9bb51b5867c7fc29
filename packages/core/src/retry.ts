import { InvalidOptionError } from './errors.js';
import { deadLetter, retry } from './outcome.js';
import type { Outcome, Retry } from './outcome.js';

/** After the `attempt`-th run failed with `error`: milliseconds to the next one, or `null` to give up. Attempts count from 1. */
export type RetryPolicy = (attempt: number, error: unknown) => number | null;

export interface Backoff {
  /** Milliseconds before the second attempt. Default 1000. */
  initial?: number;
  /** Each further wait is this many times longer. Default 2. */
  factor?: number;
  /** No wait is longer; milliseconds. Default one hour. */
  max?: number;
  /** `'full'`: a random wait between 0 and the computed one, which spreads a herd best. Default `'full'`. */
  jitter?: 'full' | 'none';
}

/**
 * The wait after the `attempt`-th failure: `initial · factor^(attempt - 1)`, at most `max`, with full jitter.
 * M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoff({ initial = 1_000, factor = 2, max = 3_600_000, jitter = 'full' }: Backoff = {}): (
  attempt: number,
) => number {
  requireNumbers({ initial, factor, max });
  return (attempt) => {
    // Not 0 · ∞, which is no number, where the power overflows.
    const wait = initial && Math.min(max, initial * factor ** (attempt - 1));
    return Math.round(jitter === 'full' ? Math.random() * wait : wait);
  };
}

/** The same wait before every attempt. `delay` is in milliseconds. */
export function fixed({ maxAttempts, delay }: { maxAttempts: number; delay: number }): RetryPolicy {
  requireNumbers({ maxAttempts, delay });
  return (attempt) => (attempt < maxAttempts ? delay : null);
}

/** Waits of `initial`, `initial + step`, `initial + 2·step` …, at most `max`; milliseconds. */
export function linear(options: { maxAttempts: number; initial: number; step: number; max: number }): RetryPolicy {
  requireNumbers(options);
  const { maxAttempts, initial, step, max } = options;
  return (attempt) => (attempt < maxAttempts ? Math.min(max, initial + step * (attempt - 1)) : null);
}

/** Waits that grow by `factor`, with jitter; `maxAttempts` runs in all, 10 by default. */
export function exponential({ maxAttempts = 10, ...options }: Backoff & { maxAttempts?: number } = {}): RetryPolicy {
  requireNumbers({ maxAttempts });
  const wait = backoff(options);
  return (attempt) => (attempt < maxAttempts ? wait(attempt) : null);
}

/** The first attempt is the last. */
export const never: RetryPolicy = () => null;

type ErrorClass = abstract new (...args: never[]) => unknown;

/** The policy of the first class that the error is an instance of, else `otherwise`. */
export function perError(policies: ReadonlyArray<readonly [ErrorClass, RetryPolicy]>, otherwise: RetryPolicy): RetryPolicy {
  return (attempt, error) => {
    const [, policy] = policies.find(([errorClass]) => error instanceof errorClass) ?? [undefined, otherwise];
    return policy(attempt, error);
  };
}

/**
 * What a failure of the `attempt`-th run comes to: a retry with its wait, or past the last attempt a dead letter. A plugin's layer that has
 * to know calls it before the dispatcher does; the policy, whose answer may be random, is asked once.
 */
export function decided(failure: Retry, attempt: number, policy: RetryPolicy): Outcome {
  if (failure.decided) return failure;
  const { delay, error = new Error('The handler asked for a retry.') } = failure;
  try {
    const wait = waitAfter(policy, attempt, { error, ...(delay !== undefined && { delay }) });
    return wait === null ? deadLetter(error) : retry({ delay: wait, error, decided: true });
  } catch (policyError) {
    return deadLetter(policyError);
  }
}

/**
 * What a policy says, checked: milliseconds, or `null` to give up. A negative wait is over already. Throws `ERR_INVALID_OPTION` for
 * anything else (NaN, a promise, nothing at all): an unlimited retry without a pause would be worse than a dead letter.
 */
export function waitAfter(
  policy: RetryPolicy,
  attempt: number,
  { delay, error }: { delay?: number; error: unknown },
): number | null {
  const decided = policy(attempt, error);
  if (decided === null) return null;
  const wait: unknown = delay ?? decided;
  if (typeof wait === 'number' && Number.isFinite(wait)) return Math.max(0, wait);
  throw new InvalidOptionError({ option: 'retry delay', expected: 'milliseconds, or null to give up', got: wait });
}

function requireNumbers(options: Record<string, unknown>): void {
  for (const [option, got] of Object.entries(options)) {
    if (typeof got !== 'number' || Number.isNaN(got) || got < 0) {
      throw new InvalidOptionError({ option: `retry ${option}`, expected: 'a number, 0 or more', got });
    }
  }
}
