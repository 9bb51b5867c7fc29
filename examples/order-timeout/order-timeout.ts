// An order that is not paid in 30 minutes is cancelled. The timeout is a task, and paying cancels the task: the two cannot both happen.
import { createWorker } from '@warren/core';
import type { Duration, JobType, Worker } from '@warren/core';
import delay from '@warren/plugin-delay';
import tasks, { defineTask, TASKS } from '@warren/plugin-tasks';
import type { TaskHandle } from '@warren/plugin-tasks';

export interface Order {
  id: string;
}

export const orderTimeout: JobType<Order> = defineTask<Order>('order.timeout', { queue: 'order_timeouts', timeout: 10_000 });

export interface ShopOptions {
  url: string;
  /** Shared by all processes of the shop. */
  store: string;
}

/** A process that takes orders and payments; not started. */
export function shop({ url, store }: ShopOptions): Worker {
  return createWorker({ url, plugins: [delay(), tasks({ store, lease: '5s' })] });
}

/** One that also cancels what is not paid in time. A worker that dies in the middle cancels again: to cancel a cancelled order does nothing. */
export function orderTimeouts(options: ShopOptions, cancel: (id: string) => unknown): Worker {
  return shop(options).handle(orderTimeout, async ({ payload: { id } }) => {
    await cancel(id);
  });
}

/** Keep the handle's `id` with the order. Placed again, after a crash or by a second click, an order keeps its first timeout. */
export function placeOrder(worker: Worker, id: string, timeout: Duration = '30m'): Promise<TaskHandle> {
  return worker.enqueue(orderTimeout, { id }, { delay: timeout, unique: { key: id } });
}

/** Whether the payment is in time. From then on the order is not cancelled; false: it has been, or is being. Asked again, the answer is the same. */
export function payOrder(worker: Worker, timeoutId: string): Promise<boolean> {
  return worker.resolve(TASKS).handle(timeoutId).cancel();
}
