import type { Arguments, Method } from '../amqp/codec.js';
import type { MethodName } from '../amqp/methods.js';
import { AmqpError } from '../amqp/replies.js';
import type { Channel } from './channel.js';
import { consumeMethods } from './consume-methods.js';
import { exchangeMethods } from './exchange-methods.js';
import { modeMethods } from './mode-methods.js';
import { queueMethods } from './queue-methods.js';
import { settleMethods } from './settle-methods.js';

/** What a channel does on each method that a client may send. */
export type Handlers = { readonly [M in MethodName]?: (channel: Channel, args: Arguments<M>) => void };

const HANDLERS: Handlers = {
  ...modeMethods,
  ...exchangeMethods,
  ...queueMethods,
  ...consumeMethods,
  ...settleMethods,
  'channel.open': () => {
    throw new AmqpError('CHANNEL_ERROR', "second 'channel.open' seen");
  },
};

export function handle(channel: Channel, { name, args }: Method): void {
  const handler = HANDLERS[name] as ((channel: Channel, args: unknown) => void) | undefined;
  if (handler === undefined) throw new AmqpError('COMMAND_INVALID', 'unimplemented method');
  handler(channel, args);
}
