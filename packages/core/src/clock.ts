/** Time, as core and the plugins see it: replaced by a virtual clock in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from some moment on, never set back: for intervals. */
  monotonic(): number;
  /** Calls `callback` once, in `ms` milliseconds; what it returns calls it off. */
  schedule(ms: number, callback: () => void): () => void;
  /** Resolves in `ms` milliseconds: `true`, or at once `false` when `signal` aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<boolean>;
}

/** setTimeout takes 32 bits; a longer wait is made of several. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** The clock of the machine. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  schedule(ms: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = (rest: number): void => {
      const step = Math.min(rest, LONGEST_TIMEOUT);
      timer = setTimeout(() => (rest > step ? arm(rest - step) : callback()), step);
    };
    arm(Math.max(0, ms));
    return () => clearTimeout(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
    return sleepOn(this, ms, signal);
  }
}

/** `sleep`, for any clock that can `schedule`. */
export function sleepOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (slept: boolean): void => {
      cancel();
      signal?.removeEventListener('abort', onAbort);
      resolve(slept);
    };
    const onAbort = (): void => end(false);
    const cancel = clock.schedule(ms, () => end(true));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
