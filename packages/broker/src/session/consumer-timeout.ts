import { AmqpError } from '../amqp/replies.js';
import type { Timer } from '../clock.js';
import type { Channel } from './channel.js';
import type { Connection } from './connection.js';
import type { SessionHost } from './session-host.js';

// Deliveries that nobody settles in time close their channel (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout).

const NO_METHOD = { classId: 0, methodId: 0 };
// RabbitMQ looks about once a minute (channel_tick_interval).
const MOST_BETWEEN_CHECKS = 60_000;

interface Watched extends SessionHost {
  readonly connections: Iterable<Connection>;
}

/** Checks all channels from time to time until cancelled. A timeout of 0 is none. */
export function watchConsumers(host: Watched, timeout: number): { cancel(): void } {
  if (timeout === 0) return { cancel: () => {} };
  const interval = Math.min(MOST_BETWEEN_CHECKS, Math.ceil(timeout / 2));
  const later = (): Timer => host.clock.at(host.clock.now() + interval, check);
  const check = (): void => {
    for (const { channels } of host.connections) for (const channel of channels) checkChannel(channel, timeout);
    timer = later();
  };
  let timer = later();
  return { cancel: () => timer.cancel() };
}

function checkChannel(channel: Channel, timeout: number): void {
  const { oldest } = channel.deliveries;
  if (oldest?.consumer === undefined || channel.host.clock.now() - oldest.since <= timeout) return;
  if (oldest.queue.settings.type === 'classic' && !channel.host.behaviour.classicConsumerTimeout) return;
  const text =
    `delivery acknowledgement on channel ${channel.number} timed out. Timeout value used: ${timeout} ms. ` +
    'This timeout value can be configured, see consumers doc guide to learn more';
  channel.fail(new AmqpError('PRECONDITION_FAILED', text), NO_METHOD);
}
