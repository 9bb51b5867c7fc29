import { plainTable } from '../amqp/fields.js';
import type { Consumer } from '../queue/consumer.js';
import type { Queue } from '../queue/queue.js';
import type { Binding } from '../routing/binding.js';
import type { Exchange } from '../routing/exchange.js';
import { Channel } from '../session/channel.js';
import type { Connection } from '../session/connection.js';
import type { VirtualHost } from '../virtual-host.js';

// Objects of the broker under the names that RabbitMQ's HTTP API gives them (https://www.rabbitmq.com/docs/http-api-reference).

export function queueView(queue: Queue): object {
  const [ready, unacked] = [queue.ready.size, queue.unacked.size];
  return {
    name: queue.name,
    vhost: queue.vhost,
    type: queue.settings.type,
    durable: queue.durable,
    auto_delete: queue.autoDelete,
    exclusive: queue.owner !== undefined,
    arguments: plainTable(queue.arguments),
    state: 'running',
    messages: ready + unacked,
    messages_ready: ready,
    messages_unacknowledged: unacked,
    message_bytes_ready: queue.ready.bodyOctets,
    consumers: queue.consumers.size,
  };
}

export function exchangeView(vhost: string, exchange: Exchange): object {
  const { name, type, durable, autoDelete, internal, arguments: args } = exchange;
  return { name, vhost, type, durable, auto_delete: autoDelete, internal, arguments: plainTable(args) };
}

export function bindingView(vhost: string, { source, destination, routingKey, arguments: args }: Binding): object {
  return {
    source: source.name,
    vhost,
    destination: destination.name,
    destination_type: destination.kind,
    routing_key: routingKey,
    arguments: plainTable(args),
    properties_key: routingKey === '' ? '~' : routingKey,
  };
}

/** Every queue is bound to the default exchange by its name. */
export function defaultBindingView({ name, vhost }: Queue): object {
  return {
    source: '',
    vhost,
    destination: name,
    destination_type: 'queue',
    routing_key: name,
    arguments: {},
    properties_key: name,
  };
}

export function connectionView(connection: Connection): object {
  const { name, agreement, channels, connectedAt, blocked } = connection;
  return {
    name,
    user: agreement.user,
    vhost: agreement.virtualHost,
    state: blocked ? 'blocked' : 'running',
    channels: channels.size,
    channel_max: agreement.channelMax,
    frame_max: agreement.frameMax,
    timeout: agreement.heartbeat,
    protocol: 'AMQP 0-9-1',
    client_properties: plainTable(agreement.clientProperties),
    connected_at: connectedAt,
  };
}

export function channelView(channel: Channel): object {
  const { connection, number } = channel;
  return {
    name: `${connection.name} (${number})`,
    number,
    vhost: connection.agreement.virtualHost,
    user: connection.agreement.user,
    connection_details: { name: connection.name },
    consumer_count: channel.consumers.size,
    messages_unacknowledged: channel.deliveries.size,
    messages_unconfirmed: channel.confirms?.unconfirmed ?? 0,
    prefetch_count: channel.prefetch,
    global_prefetch_count: channel.channelPrefetch,
    confirm: channel.confirms !== undefined,
    transactional: channel.transaction !== undefined,
    state: 'running',
  };
}

export function consumerView({ tag, queue, noAck, exclusive, prefetch, channel, arguments: args }: Consumer): object {
  const details =
    channel instanceof Channel
      ? { name: `${channel.connection.name} (${channel.number})`, connection_name: channel.connection.name }
      : {};
  return {
    consumer_tag: tag,
    queue: { name: queue.name, vhost: queue.vhost },
    ack_required: !noAck,
    exclusive,
    prefetch_count: prefetch,
    arguments: plainTable(args),
    channel_details: details,
  };
}

export function bindingViews(virtualHost: VirtualHost): object[] {
  const implied = [...virtualHost.queues.values()].map(defaultBindingView);
  const made = [...virtualHost.exchanges.values()].flatMap(({ bindings }) => [...bindings]);
  return [...implied, ...made.map((binding) => bindingView(virtualHost.name, binding))];
}
