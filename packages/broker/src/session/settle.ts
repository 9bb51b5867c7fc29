import type { Consumer } from '../queue/consumer.js';
import type { Queue } from '../queue/queue.js';
import type { Delivery } from './deliveries.js';

export type Settlement = 'ack' | 'reject' | 'requeue' | 'requeue-uncounted';

/** Settles deliveries, and only then lets their queues deliver again: what goes back is in its place by that time. */
export function settle(deliveries: readonly Delivery[], settlement: Settlement): void {
  const queues = new Set<Queue>();
  const consumers = new Set<Consumer>();
  // Backwards, because putting back the earliest message last is cheapest.
  for (const delivery of settlement.startsWith('requeue') ? deliveries.toReversed() : deliveries) {
    settleOne(delivery, settlement);
    queues.add(delivery.queue);
    if (delivery.consumer !== undefined) {
      delivery.consumer.unacked--;
      consumers.add(delivery.consumer);
    }
  }
  for (const consumer of consumers) consumer.queue.consumers.rejoin(consumer);
  for (const queue of queues) queue.settled();
}

function settleOne({ queue, queued }: Delivery, settlement: Settlement): void {
  if (settlement === 'ack') queue.settle(queued);
  else if (settlement === 'reject') queue.reject(queued);
  else queue.requeue(queued, { counts: settlement === 'requeue' });
}
