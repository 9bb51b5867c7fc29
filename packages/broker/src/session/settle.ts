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

/**
 * The same for basic.nack and basic.recover, which RabbitMQ works off by consumer in order of their tags, basic.get first, with
 * the queue going on after each of them (rabbit_channel, foreach_per_queue).
 */
export function settleByConsumer(deliveries: readonly Delivery[], settlement: Settlement): void {
  const groups = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const tag = delivery.consumer?.tag ?? '';
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [delivery]);
    else group.push(delivery);
  }
  for (const [, group] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) settle(group, settlement);
}

function settleOne({ queue, queued }: Delivery, settlement: Settlement): void {
  if (settlement === 'ack') queue.settle(queued);
  else if (settlement === 'reject') queue.reject(queued);
  else queue.requeue(queued, { counts: settlement === 'requeue' });
}
