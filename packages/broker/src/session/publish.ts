import type { Arguments } from '../amqp/codec.js';
import { typeName, type FieldTable } from '../amqp/field-table.js';
import type { Content } from '../amqp/frame-writer.js';
import { encodeProperties, inspectProperties, readProperties, type Properties } from '../amqp/properties.js';
import { AmqpError, replyCode } from '../amqp/replies.js';
import { Message, replaceProperties } from '../queue/message.js';
import type { Queue } from '../queue/queue.js';
import { route } from '../routing/router.js';
import type { Channel } from './channel.js';
import { REPLY_TO, replyAddress, tokenOf } from './direct-reply.js';

// basic.publish: checks, routes, hands over to the queues, and answers with a return or a confirm.

export function publish(channel: Channel, args: Arguments<'basic.publish'>, content: Content): void {
  if (args.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
  checkExchange(channel, args.exchange);
  const message = readMessage(channel, args, content);
  const queues = route(channel.virtualHost, args.exchange, message);
  const number = channel.confirms?.next();
  const apply = (): void => handOver(channel, { message, queues, number, mandatory: args.mandatory });
  if (channel.transaction === undefined) apply();
  else channel.transaction.publish(apply);
}

function checkExchange({ virtualHost }: Channel, name: string): void {
  if (name === '') return;
  const exchange = virtualHost.exchange(name);
  if (exchange === undefined) throw new AmqpError('NOT_FOUND', `no exchange '${name}' in vhost '${virtualHost.name}'`);
  if (exchange.internal)
    throw new AmqpError('ACCESS_REFUSED', `cannot publish to internal exchange '${name}' in vhost '${virtualHost.name}'`);
}

function readMessage(channel: Channel, { exchange, routingKey }: Arguments<'basic.publish'>, content: Content): Message {
  const properties = inspectProperties(content.content.subarray(0, content.bodyStart));
  checkUser(channel, properties.userId);
  if (properties.expiration !== undefined) checkExpiration(properties.expiration);
  const { headers } = properties;
  const copies = headers === undefined || headers.size === 0 ? [] : [...extraKeys(headers, 'CC'), ...extraKeys(headers, 'BCC')];
  return new Message({ exchange, routingKey, copies }, rewrite(channel, properties, content), properties);
}

/** Two things do not pass through as they were published: BCC keys, and the address for direct replies. */
function rewrite(channel: Channel, { headers, replyTo }: Properties, content: Content): Content {
  const hasHidden = headers?.has('BCC') === true;
  if (!hasHidden && replyTo !== REPLY_TO) return content;
  const properties = readProperties(content.content.subarray(0, content.bodyStart));
  if (hasHidden) properties.headers?.delete('BCC');
  if (replyTo === REPLY_TO) {
    if (channel.replyConsumer === undefined) throw new AmqpError('PRECONDITION_FAILED', 'fast reply consumer does not exist');
    properties.replyTo = replyAddress(channel.replyConsumer.token);
  }
  return replaceProperties(content, encodeProperties(properties));
}

/** https://www.rabbitmq.com/docs/validated-user-id */
function checkUser({ connection }: Channel, userId: string | undefined): void {
  const { user } = connection.agreement;
  if (userId === undefined || userId === user) return;
  throw new AmqpError('PRECONDITION_FAILED', `user_id property set to '${userId}' but authenticated user was '${user}'`);
}

/** Whole milliseconds, not negative (https://www.rabbitmq.com/docs/ttl#per-message-ttl-in-publishers). */
function checkExpiration(expiration: string): void {
  const [, digits, rest] = /^([+-]?\d+)(.*)$/s.exec(expiration) ?? [];
  const why =
    digits === undefined
      ? 'no_integer'
      : rest !== ''
        ? `{leftover_string,${JSON.stringify(rest)}}`
        : Number(digits) < 0
          ? `{value_negative,${digits}}`
          : undefined;
  if (why !== undefined) throw new AmqpError('PRECONDITION_FAILED', `invalid expiration '${expiration}': ${why}`);
}

/** Routing keys in a CC or BCC header (https://www.rabbitmq.com/docs/sender-selected). */
function extraKeys(headers: FieldTable, name: 'CC' | 'BCC'): string[] {
  const field = headers.get(name);
  if (field === undefined) return [];
  if (field.type !== 'A') {
    throw new AmqpError('PRECONDITION_FAILED', `invalid message: {unacceptable_type_in_header,"${name}",${typeName(field)}}`);
  }
  return field.value.flatMap((item) => (item.type === 'S' ? [item.value.toString()] : []));
}

interface HandOver {
  readonly message: Message;
  readonly queues: readonly Queue[];
  /** In confirm mode. */
  readonly number: number | undefined;
  readonly mandatory: boolean;
}

function handOver(channel: Channel, { message, queues, number, mandatory }: HandOver): void {
  if (queues.length === 0 && !replyDirectly(channel, message) && mandatory) returnMessage(channel, message);
  const { deadLetters, store } = channel.host;
  let stored = false;
  let refused = false;
  deadLetters.after(() => {
    for (const queue of queues) {
      if (queue.accepts(message)) {
        stored = queue.publish(message) || stored;
      } else {
        refused = true;
        queue.refuse(message);
      }
    }
  });
  if (number === undefined) return;
  if (refused) channel.confirms?.refused(number);
  else channel.confirms?.accepted(number, stored ? store : undefined);
}

function replyDirectly({ host }: Channel, message: Message): boolean {
  if (message.exchange !== '') return false;
  const receiver = host.replyReceivers.get(tokenOf(message.routingKey) ?? '');
  receiver?.receiveReply(message);
  return receiver !== undefined;
}

/** Before the confirm, on the same channel (https://www.rabbitmq.com/docs/publishers#unroutable). */
function returnMessage(channel: Channel, message: Message): void {
  const { exchange, routingKey } = message;
  channel.sendMessage('basic.return', { replyCode: replyCode('NO_ROUTE'), replyText: 'NO_ROUTE', exchange, routingKey }, message);
}
