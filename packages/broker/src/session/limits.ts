import { AmqpError } from '../amqp/replies.js';
import type { Channel } from './channel.js';

// Bounds on what clients can make the broker remember.

type Countable = 'queues' | 'exchanges' | 'bindings';

/** Refuses one more of something whose limit is reached. */
export function checkRoom({ virtualHost, host }: Channel, what: Countable): void {
  const { maxQueues, maxExchanges, maxBindings } = host.limits;
  const limit = { queues: maxQueues, exchanges: maxExchanges, bindings: maxBindings }[what];
  const count = { queues: virtualHost.queues.size, exchanges: virtualHost.exchanges.size, bindings: virtualHost.bindingCount }[
    what
  ];
  if (count < limit) return;
  throw new AmqpError('PRECONDITION_FAILED', `cannot have more than ${limit} ${what} in vhost '${virtualHost.name}'`);
}
