import type { Broker } from '../broker.js';
import { readQueueArguments } from '../queue/queue-arguments.js';
import { Queue } from '../queue/queue.js';
import type { Destination } from '../routing/binding.js';
import type { VirtualHost } from '../virtual-host.js';
import {
  unpackTable,
  type BindingRecord,
  type DefinitionRecord,
  type ExchangeRecord,
  type QueueRecord,
} from './definition-record.js';
import type { Databases } from './lmdb-store.js';
import { decodeMessage, messageKey, readMessageKey } from './message-record.js';

/** Brings back queues, exchanges, bindings and messages, and returns the queues. */
export function restore(broker: Broker, databases: Databases): readonly Queue[] {
  const records: DefinitionRecord[] = [...databases.definitions.getRange()].map(({ value }) => value);
  for (const record of records) if (record.kind === 'exchange') restoreExchange(broker, record);
  const queues = records.flatMap((record) => (record.kind === 'queue' ? [restoreQueue(broker, record)] : []));
  for (const record of records) if (record.kind === 'binding') restoreBinding(broker, record);
  restoreMessages(new Map(queues.map((queue) => [queue.id, queue])), databases);
  broker.queueIdsFrom(Math.max(0, ...queues.map(({ id }) => id)));
  return queues;
}

function restoreExchange(broker: Broker, record: ExchangeRecord): void {
  broker.ensureVirtualHost(record.vhost).addExchange({ ...record, durable: true, arguments: unpackTable(record.arguments) });
}

function restoreQueue(broker: Broker, record: QueueRecord): Queue {
  const args = unpackTable(record.arguments);
  const settings = readQueueArguments(args, `queue '${record.name}'`, broker.behaviour);
  const queue = new Queue({ ...record, durable: true, owner: undefined, arguments: args, settings }, broker);
  broker.ensureVirtualHost(record.vhost).addQueue(queue);
  return queue;
}

function restoreBinding(broker: Broker, record: BindingRecord): void {
  const virtualHost = broker.ensureVirtualHost(record.vhost);
  const source = virtualHost.exchange(record.source);
  const destination = findDestination(virtualHost, record);
  const key = { routingKey: record.routingKey, arguments: unpackTable(record.arguments) };
  if (source !== undefined && destination !== undefined) virtualHost.bind(source, destination, key);
}

function findDestination(virtualHost: VirtualHost, { destination: { kind, name } }: BindingRecord): Destination | undefined {
  return kind === 'queue' ? virtualHost.queue(name) : virtualHost.exchange(name);
}

/** Messages of queues that are gone are removed; they were unacknowledged when their queue was deleted. */
function restoreMessages(queues: ReadonlyMap<number, Queue>, { messages, contents, counts, delivered }: Databases): void {
  for (const { key, value } of messages.getRange()) {
    const { queueId, sequence } = readMessageKey(key);
    const queue = queues.get(queueId);
    if (queue === undefined) {
      void messages.remove(key);
      void contents.remove(key);
      continue;
    }
    const { message, expiresAt } = decodeMessage(value, () => contents.get(key));
    const count = counts.get(messageKey(queueId, sequence)) ?? { deliveries: 0, acquired: 0 };
    // It may have been with a consumer when the broker ended, which counts as coming back.
    const out = sequence <= (delivered.get(queueId) ?? 0) ? 1 : 0;
    const [deliveries, acquired] = [count.deliveries + out, count.acquired + out];
    queue.restore({ message, sequence, expiresAt, stored: true, redelivered: acquired > 0, deliveries, acquired });
  }
}
