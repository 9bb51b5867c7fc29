import type { Arguments } from '../amqp/codec.js';
import { AmqpError } from '../amqp/replies.js';
import { checkSame, checkSameArguments, QUEUE_ARGUMENTS } from '../equivalence.js';
import { readQueueArguments, type QueueSettings } from '../queue/queue-arguments.js';
import { Queue } from '../queue/queue.js';
import type { Channel } from './channel.js';
import { tokenOf } from './direct-reply.js';
import { checkRoom } from './limits.js';
import type { Handlers } from './methods.js';
import {
  findQueue,
  generatedName,
  locked,
  queueAt,
  queueName,
  refuseDefaultExchange,
  requireExchange,
  requireQueue,
} from './names.js';

// Class queue (specification 1.4, https://www.rabbitmq.com/docs/queues).

type Declare = Arguments<'queue.declare'>;

export const queueMethods: Handlers = {
  'queue.declare'(channel, args) {
    const token = tokenOf(args.queue);
    if (token !== undefined && channel.host.replyReceivers.has(token)) return declared(channel, args, { name: args.queue });
    const queue = args.passive ? requireQueue(channel, args.queue) : declare(channel, args);
    channel.virtualHost.used(queue);
    return declared(channel, args, queue);
  },

  'queue.bind'(channel, args) {
    const queue = requireQueue(channel, args.queue);
    refuseDefaultExchange(args.exchange);
    const exchange = requireExchange(channel, args.exchange);
    checkRoom(channel, 'bindings');
    channel.virtualHost.bind(exchange, queue, { routingKey: bindingKey(channel, args), arguments: args.arguments });
    if (!args.nowait) channel.send('queue.bind-ok', {});
  },

  'queue.unbind'(channel, args) {
    const queue = findQueue(channel, queueName(channel, args.queue));
    refuseDefaultExchange(args.exchange);
    const exchange = channel.virtualHost.exchange(args.exchange);
    if (queue !== undefined && exchange !== undefined) {
      channel.virtualHost.unbind(exchange, queue, { routingKey: bindingKey(channel, args), arguments: args.arguments });
    }
    channel.send('queue.unbind-ok', {});
  },

  'queue.purge'(channel, args) {
    const messageCount = requireQueue(channel, args.queue).purge();
    if (!args.nowait) channel.send('queue.purge-ok', { messageCount });
  },

  'queue.delete'(channel, { queue: given, ifUnused, ifEmpty, nowait }) {
    const queue = findQueue(channel, queueName(channel, given));
    const where = queue && queueAt(queue.name, queue.vhost);
    if (ifUnused && queue !== undefined && queue.consumers.size > 0)
      throw new AmqpError('PRECONDITION_FAILED', `${where} in use`);
    if (ifEmpty && queue !== undefined && queue.ready.size > 0) throw new AmqpError('PRECONDITION_FAILED', `${where} not empty`);
    // The answer comes before the cancellation of consumers.
    if (!nowait) channel.send('queue.delete-ok', { messageCount: queue?.ready.size ?? 0 });
    if (queue !== undefined) channel.virtualHost.deleteQueue(queue);
  },
};

interface Counted {
  readonly name: string;
  readonly ready?: { readonly size: number };
  readonly consumers?: { readonly size: number };
}

function declared(channel: Channel, { nowait }: Declare, { name, ready, consumers }: Counted): void {
  channel.lastQueue = name;
  if (!nowait)
    channel.send('queue.declare-ok', { queue: name, messageCount: ready?.size ?? 0, consumerCount: consumers?.size ?? 0 });
}

/** With the queue's name left out, an empty key means that queue's name as well (specification, queue.bind, routing-key). */
function bindingKey(channel: Channel, args: { readonly queue: string; readonly routingKey: string }): string {
  return args.queue === '' && args.routingKey === '' ? queueName(channel, '') : args.routingKey;
}

function declare(channel: Channel, args: Declare): Queue {
  const { virtualHost, connection, host } = channel;
  // Names that a careless client read from a file (rabbit_channel, strip_cr_lf).
  const name = args.queue.replaceAll(/[\r\n]/g, '');
  const durable = args.durable && !args.exclusive;
  const existing = name === '' ? undefined : findQueue(channel, name);
  if (existing !== undefined) return checkEquivalent(existing, { ...args, durable });
  const where = queueAt(name, virtualHost.name);
  if (name.startsWith('amq.')) throw new AmqpError('ACCESS_REFUSED', `queue name '${name}' contains reserved prefix 'amq.*'`);
  const settings = readQueueArguments(args.arguments, where, host.behaviour);
  if (settings.type === 'quorum') checkQuorum(args, where);
  checkRoom(channel, 'queues');
  const owner = args.exclusive ? connection : undefined;
  return addQueue(channel, args, { name: name === '' ? generatedName('amq.gen-') : name, durable, owner, settings });
}

interface Resolved {
  readonly name: string;
  readonly durable: boolean;
  readonly owner: object | undefined;
  readonly settings: QueueSettings;
}

function addQueue(
  { host, virtualHost, connection }: Channel,
  { autoDelete, arguments: args }: Declare,
  resolved: Resolved,
): Queue {
  const queue = new Queue({ id: host.nextQueueId(), vhost: virtualHost.name, autoDelete, arguments: args, ...resolved }, host);
  virtualHost.addQueue(queue);
  if (queue.owner !== undefined) connection.exclusiveQueues.add(queue);
  return queue;
}

function checkEquivalent(queue: Queue, args: Declare): Queue {
  const where = queueAt(queue.name, queue.vhost);
  if (args.exclusive !== (queue.owner !== undefined)) throw locked(queue);
  checkSame('durable', where, [args.durable, queue.durable]);
  checkSame('auto_delete', where, [args.autoDelete, queue.autoDelete]);
  checkSameArguments(QUEUE_ARGUMENTS, where, [args.arguments, queue.arguments]);
  return queue;
}

/** A quorum queue is durable, and nobody's alone (https://www.rabbitmq.com/docs/quorum-queues#feature-comparison). */
function checkQuorum({ durable, exclusive, autoDelete }: Declare, where: string): void {
  const property = (!durable && 'non-durable') || (autoDelete && 'auto-delete') || (exclusive && 'exclusive-owner');
  if (property !== false) throw new AmqpError('PRECONDITION_FAILED', `invalid property '${property}' for ${where}`);
}
