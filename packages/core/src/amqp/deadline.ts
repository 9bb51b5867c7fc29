import { BrokerTimeoutError } from '../errors.js';

/** Rejects with `ERR_BROKER_TIMEOUT` where the broker has not answered `operation` within `ms` milliseconds: the client's own calls may never settle. */
export function withDeadline<T>(call: Promise<T>, { operation, ms }: { operation: string; ms: number }): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new BrokerTimeoutError({ operation, ms })), ms);
    call.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Resolves when `call` has ended, however, or `ms` milliseconds have passed: whether it ended in time. */
export function endedWithin(ms: number, call: Promise<unknown>): Promise<boolean> {
  return withDeadline(call, { operation: 'close', ms }).then(
    () => true,
    (error: unknown) => !(error instanceof BrokerTimeoutError),
  );
}
