import type { Arguments } from '../amqp/codec.js';
import { integerOf } from '../amqp/fields.js';
import { AmqpError } from '../amqp/replies.js';
import { Consumer } from '../queue/consumer.js';
import { withDeliveryCount } from '../queue/delivery-count.js';
import type { Queue } from '../queue/queue.js';
import type { Channel } from './channel.js';
import { REPLY_TO, replyToken } from './direct-reply.js';
import type { Handlers } from './methods.js';
import { generatedName, queueAt, requireQueue } from './names.js';

// How messages reach a client: basic.qos, consume, cancel and get (https://www.rabbitmq.com/docs/consumers).

type Consume = Arguments<'basic.consume'>;

export const consumeMethods: Handlers = {
  /** Without `global` the limit is for consumers to come, with it for the channel (https://www.rabbitmq.com/docs/consumer-prefetch). */
  'basic.qos'(channel, { prefetchSize, prefetchCount, global }) {
    if (prefetchSize !== 0) throw new AmqpError('NOT_IMPLEMENTED', `prefetch_size!=0 (${prefetchSize})`);
    if (!global) channel.prefetch = prefetchCount;
    channel.channelPrefetch = global && channel.host.behaviour.globalPrefetch ? prefetchCount : 0;
    channel.send('basic.qos-ok', {});
    channel.resumeDeliveries();
  },

  'basic.consume'(channel, args) {
    const consumerTag = args.consumerTag === '' ? generatedName('amq.ctag-') : args.consumerTag;
    if (channel.consumers.has(consumerTag) || channel.replyConsumer?.tag === consumerTag) {
      throw new AmqpError('NOT_ALLOWED', `attempt to reuse consumer tag '${consumerTag}'`);
    }
    if (args.queue === REPLY_TO) return consumeReplies(channel, args, consumerTag);
    const queue = requireQueue(channel, args.queue);
    checkExclusive(queue, args.exclusive);
    const consumer = makeConsumer(channel, args, { queue, tag: consumerTag });
    channel.consumers.set(consumerTag, consumer);
    if (!args.nowait) channel.send('basic.consume-ok', { consumerTag });
    queue.consumers.add(consumer);
    return queue.dispatch();
  },

  'basic.cancel'(channel, { consumerTag, nowait }) {
    const consumer = channel.consumers.get(consumerTag);
    channel.consumers.delete(consumerTag);
    if (channel.replyConsumer?.tag === consumerTag) forgetReplies(channel);
    if (!nowait) channel.send('basic.cancel-ok', { consumerTag });
    if (consumer === undefined) return;
    consumer.queue.consumers.remove(consumer);
    channel.virtualHost.lostConsumer(consumer.queue);
    // A single active consumer's place is taken by the next one.
    consumer.queue.dispatch();
  },

  'basic.get'(channel, { queue: name, noAck }) {
    const queue = requireQueue(channel, name);
    channel.virtualHost.used(queue);
    const queued = queue.take();
    if (queued === undefined) return channel.send('basic.get-empty', {});
    const deliveryTag = channel.deliveries.nextTag();
    const { exchange, routingKey } = queued.message;
    const args = { deliveryTag, redelivered: queued.redelivered, exchange, routingKey, messageCount: queue.ready.size };
    channel.sendMessage('basic.get-ok', args, withDeliveryCount(queue, queued, channel.host.behaviour));
    if (noAck) queue.settle(queued);
    else channel.deliveries.add({ tag: deliveryTag, queue, queued, consumer: undefined, since: channel.host.clock.now() });
    return undefined;
  },
};

function makeConsumer(channel: Channel, args: Consume, { queue, tag }: { queue: Queue; tag: string }): Consumer {
  const { noAck, exclusive, arguments: extra } = args;
  const priority = integerOf(extra.get('x-priority')) ?? 0;
  return new Consumer({ tag, queue, noAck, exclusive, priority, prefetch: channel.prefetch, arguments: extra }, channel);
}

function checkExclusive(queue: Queue, exclusive: boolean): void {
  const [other] = queue.consumers;
  if (other === undefined || (!exclusive && !other.exclusive)) return;
  throw new AmqpError('ACCESS_REFUSED', `${queueAt(queue.name, queue.vhost)} in exclusive use`);
}

function consumeReplies(channel: Channel, { noAck, nowait }: Consume, tag: string): void {
  if (!noAck) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer cannot acknowledge');
  if (channel.replyConsumer !== undefined) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer already set');
  const token = replyToken();
  channel.replyConsumer = { tag, token };
  channel.host.replyReceivers.set(token, channel);
  if (!nowait) channel.send('basic.consume-ok', { consumerTag: tag });
}

function forgetReplies(channel: Channel): void {
  if (channel.replyConsumer !== undefined) channel.host.replyReceivers.delete(channel.replyConsumer.token);
  channel.replyConsumer = undefined;
}
