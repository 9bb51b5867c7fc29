import type { Field, FieldTable } from '../amqp/field-table.js';
import { long } from '../amqp/fields.js';
import type { Content } from '../amqp/frame-writer.js';
import { encodeProperties, readProperties } from '../amqp/properties.js';
import type { Behaviour } from '../compat.js';
import { replaceProperties } from './message.js';
import type { Queue } from './queue.js';
import type { QueuedMessage } from './ready-list.js';

/** The message as a consumer gets it: a quorum queue tells how often it came back (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling). */
export function withDeliveryCount(queue: Queue, queued: QueuedMessage, behaviour: Behaviour): Content {
  if (queue.settings.type !== 'quorum' || queued.acquired === 0) return queued.message;
  const counts: Array<[string, Field]> = [];
  if (queued.deliveries > 0) counts.push(['x-delivery-count', long(queued.deliveries)]);
  if (behaviour.acquiredCountHeader) counts.push(['x-acquired-count', long(queued.acquired)]);
  const properties = readProperties(queued.message.propertyOctets);
  const headers: FieldTable = new Map([...(properties.headers ?? []), ...counts]);
  return replaceProperties(queued.message, encodeProperties({ ...properties, headers }));
}
