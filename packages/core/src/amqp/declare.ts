import type { Channel, ChannelModel } from 'amqplib';
import { BrokerTimeoutError, ConnectionLostError } from '../errors.js';
import { channelFailure } from './failure.js';
import { withDeadline } from './deadline.js';
import type { Binding, Exchange, Queue, Topology } from '../topology.js';

type Part = Exchange | Queue | Binding;

export interface Declaration {
  readonly topology: Topology;
  /** What has been declared on this connection. Weak, for parts come and go: the targets of delayed messages, for one. */
  readonly declared: WeakSet<Part>;
  /** Milliseconds for each call. */
  readonly timeout: number;
}

/** Channels that declare at a time: the client waits for each answer on a channel, and plugin-delay alone declares over two hundred parts. */
const LANES = 8;

/** Declares what of a topology has not been: exchanges, then queues, then bindings. A part that is refused does not keep the others back; its error is thrown at the end. */
export async function declareParts(model: ChannelModel, declaration: Declaration): Promise<void> {
  const { exchanges, queues, bindings } = declaration.topology;
  const errors: unknown[] = [];
  for (const stage of [exchanges, queues, bindings]) {
    const missing = [...stage.values()].filter((part) => !declaration.declared.has(part));
    const lanes = Array.from({ length: Math.min(LANES, missing.length) }, () => declareInTurn(model, missing, declaration));
    errors.push(...(await Promise.all(lanes)).flat());
  }
  if (errors.length > 0) throw errors[0];
}

/** Takes parts from `missing` until it is empty. Returns the errors of those that were refused. */
async function declareInTurn(model: ChannelModel, missing: Part[], { declared, timeout: ms }: Declaration): Promise<unknown[]> {
  const errors: unknown[] = [];
  let channel: Channel | undefined;
  for (let part = missing.shift(); part; part = missing.shift()) {
    try {
      channel ??= await openChannel(model, ms);
      await declarePart(channel, part, ms);
      declared.add(part);
    } catch (error) {
      // Who does not answer for one part will not for the next: the deadline is not waited for once for each.
      if (error instanceof ConnectionLostError || error instanceof BrokerTimeoutError) {
        channel?.close().catch(() => {});
        throw error;
      }
      // A refusal has closed the channel; the next part gets a new one.
      channel = undefined;
      errors.push(error);
    }
  }
  channel?.close().catch(() => {});
  return errors;
}

async function openChannel(model: ChannelModel, ms: number): Promise<Channel> {
  const channel = await withDeadline(model.createChannel(), { operation: 'open a channel to declare on', ms }).catch(
    (error: unknown) => {
      throw channelFailure(error, 'The topology');
    },
  );
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
