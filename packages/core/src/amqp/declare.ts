import type { Channel, ChannelModel } from 'amqplib';
import { ConnectionLostError } from '../errors.js';
import { channelFailure } from './failure.js';
import { withDeadline } from './deadline.js';
import type { Binding, Exchange, Queue, Topology } from '../topology.js';

type Part = Exchange | Queue | Binding;

export interface Declaration {
  readonly topology: Topology;
  /** What has been declared on this connection; grows. */
  readonly declared: Set<Part>;
  /** Milliseconds for each call. */
  readonly timeout: number;
}

/** Declares what of a topology has not been: exchanges, then queues, then bindings. A part that is refused does not keep the others back; its error is thrown at the end. */
export async function declareParts(model: ChannelModel, { topology, declared, timeout: ms }: Declaration): Promise<void> {
  const parts = [...topology.exchanges.values(), ...topology.queues.values(), ...topology.bindings.values()];
  const errors: unknown[] = [];
  let channel: Channel | undefined;
  for (const part of parts.filter((candidate) => !declared.has(candidate))) {
    try {
      channel ??= await openChannel(model, ms);
      await declarePart(channel, part, ms);
      declared.add(part);
    } catch (error) {
      if (error instanceof ConnectionLostError) throw error;
      // A refusal has closed the channel; the next part gets a new one.
      channel = undefined;
      errors.push(error);
    }
  }
  channel?.close().catch(() => {});
  if (errors.length > 0) throw errors[0];
}

async function openChannel(model: ChannelModel, ms: number): Promise<Channel> {
  const channel = await withDeadline(model.createChannel(), { operation: 'open a channel to declare on', ms });
  // The call that was refused says why; without a listener the client would end the whole connection.
  channel.on('error', () => {});
  return channel;
}

async function declarePart(channel: Channel, part: Part, ms: number): Promise<void> {
  const [what, call] = callFor(channel, part);
  try {
    await withDeadline(call(), { operation: `declare ${what}`, ms });
  } catch (error) {
    throw channelFailure(error, what);
  }
}

function callFor(channel: Channel, part: Part): [what: string, call: () => Promise<unknown>] {
  if ('type' in part) {
    const { name, type, durable, autoDelete, internal, arguments: args } = part;
    return [`Exchange "${name}"`, () => channel.assertExchange(name, type, { durable, autoDelete, internal, arguments: args })];
  }
  if ('name' in part) {
    const { name, durable, autoDelete, exclusive, arguments: args } = part;
    return [`Queue "${name}"`, () => channel.assertQueue(name, { durable, autoDelete, exclusive, arguments: args })];
  }
  const { source, destination, destinationType, pattern, arguments: args } = part;
  const what = `The binding of ${destinationType} "${destination}" to exchange "${source}"`;
  return [
    what,
    () =>
      destinationType === 'queue'
        ? channel.bindQueue(destination, source, pattern, args)
        : channel.bindExchange(destination, source, pattern, args),
  ];
}
