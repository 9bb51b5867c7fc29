// A timed job: an order that is not paid in 30 minutes is cancelled. The broker keeps the time, so that no crash loses it.
import { createWorker, defineJob } from '@warren/core';
import type { Duration, JobType, Worker } from '@warren/core';
import delay from '@warren/plugin-delay';

export interface Order {
  id: string;
}

/** A durable quorum queue, with a dead-letter queue beside it. */
export const unpaid: JobType<Order> = defineJob<Order>('order.unpaid', { queue: 'unpaid_orders' });

export interface Shop {
  url: string;
  /** Asked when an order's time is up. Default: nobody pays. */
  isPaid?: (id: string) => boolean;
  /** A job can run twice, after a crash between its end and its acknowledgement: to cancel a cancelled order does nothing. */
  cancel: (id: string) => unknown;
}

/** Cancels what is not paid in time; not started. */
export function orderTimeouts({ url, isPaid = () => false, cancel }: Shop): Worker {
  return createWorker({ url, plugins: [delay()] }).handle(unpaid, async ({ payload: { id } }) => {
    if (!isPaid(id)) await cancel(id);
  });
}

/** Resolves when the broker has the timer: from then on it survives this process, and the broker's own. */
export function placeOrder(worker: Worker, id: string, timeout: Duration = '30m'): Promise<void> {
  return worker.publish(unpaid, { id }, { delay: timeout });
}
