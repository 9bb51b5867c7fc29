import { BrokerTimeoutError, ConnectionLostError, PublishTimeoutError } from '@warren/core';

/** Whether the broker was away: what failed may succeed when it is back. */
export function isOutage(error: unknown): boolean {
  return error instanceof PublishTimeoutError || error instanceof ConnectionLostError || error instanceof BrokerTimeoutError;
}
