import { randomBytes } from 'node:crypto';
import { AmqpError } from '../amqp/replies.js';
import type { Queue } from '../queue/queue.js';
import type { Exchange } from '../routing/exchange.js';
import type { Channel } from './channel.js';

// What a name in a method means, and whether this client may use what it names.

/** How reply texts name things. */
export function queueAt(name: string, vhost: string): string {
  return `queue '${name}' in vhost '${vhost}'`;
}

export function exchangeAt(name: string, vhost: string): string {
  return `exchange '${name}' in vhost '${vhost}'`;
}

/** A name that the server makes, in RabbitMQ's form. */
export function generatedName(prefix: 'amq.gen-' | 'amq.ctag-'): string {
  return prefix + randomBytes(16).toString('base64url');
}

/** An empty name is the queue that this channel declared last (specification, queue.bind, queue). */
export function queueName(channel: Channel, name: string): string {
  if (name !== '') return name;
  if (channel.lastQueue === undefined) throw new AmqpError('NOT_FOUND', 'no previously declared queue');
  return channel.lastQueue;
}

/** The queue of that name, if there is one that this connection may use. */
export function findQueue({ virtualHost, connection }: Channel, name: string): Queue | undefined {
  const queue = virtualHost.queue(name);
  if (queue?.owner !== undefined && queue.owner !== connection) throw locked(queue);
  return queue;
}

export function requireQueue(channel: Channel, name: string): Queue {
  const queue = findQueue(channel, queueName(channel, name));
  if (queue === undefined) throw new AmqpError('NOT_FOUND', `no ${queueAt(queueName(channel, name), channel.virtualHost.name)}`);
  return queue;
}

export function requireExchange({ virtualHost }: Channel, name: string): Exchange {
  const exchange = virtualHost.exchange(name);
  if (exchange === undefined) throw new AmqpError('NOT_FOUND', `no ${exchangeAt(name, virtualHost.name)}`);
  return exchange;
}

export function refuseDefaultExchange(name: string): void {
  if (name === '') throw new AmqpError('ACCESS_REFUSED', 'operation not permitted on the default exchange');
}

/** https://www.rabbitmq.com/docs/queues#exclusive-queues */
export function locked(queue: Queue): AmqpError {
  return new AmqpError(
    'RESOURCE_LOCKED',
    `cannot obtain exclusive access to locked ${queueAt(queue.name, queue.vhost)}. It could be originally declared on another ` +
      'connection or the exclusive property value does not match that of the original declaration.',
  );
}
