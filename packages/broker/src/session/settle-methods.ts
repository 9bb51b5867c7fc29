import { AmqpError } from '../amqp/replies.js';
import type { Handlers } from './methods.js';

// Acknowledgements (https://www.rabbitmq.com/docs/confirms).

export const settleMethods: Handlers = {
  'basic.ack'(channel, tags) {
    channel.settle(channel.deliveries.take(tags), 'ack');
  },

  'basic.nack'(channel, { deliveryTag, multiple, requeue }) {
    const counted = channel.host.behaviour.nackCountsAsDelivery ? 'requeue' : 'requeue-uncounted';
    channel.settle(channel.deliveries.take({ deliveryTag, multiple }), requeue ? counted : 'reject');
  },

  'basic.reject'(channel, { deliveryTag, requeue }) {
    channel.settle(channel.deliveries.take({ deliveryTag, multiple: false }), requeue ? 'requeue' : 'reject');
  },

  'basic.recover'(channel, { requeue }) {
    if (!requeue) throw new AmqpError('NOT_IMPLEMENTED', 'requeue=false');
    channel.send('basic.recover-ok', {});
    channel.settle(channel.deliveries.takeAll(), 'requeue');
  },

  'basic.recover-async'(channel, { requeue }) {
    if (!requeue) throw new AmqpError('NOT_IMPLEMENTED', 'requeue=false');
    channel.settle(channel.deliveries.takeAll(), 'requeue');
  },
};
