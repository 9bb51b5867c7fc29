import type { Arguments } from '../amqp/codec.js';
import { textOf } from '../amqp/fields.js';
import { typeName } from '../amqp/field-table.js';
import { AmqpError } from '../amqp/replies.js';
import { checkSame, checkSameArguments, EXCHANGE_ARGUMENTS } from '../equivalence.js';
import { isExchangeType, type Exchange, type ExchangeType } from '../routing/exchange.js';
import type { Channel } from './channel.js';
import { checkRoom } from './limits.js';
import type { Handlers } from './methods.js';
import { exchangeAt, refuseDefaultExchange, requireExchange } from './names.js';

// Class exchange (specification 1.3, https://www.rabbitmq.com/docs/exchanges).

type Declare = Arguments<'exchange.declare'>;

export const exchangeMethods: Handlers = {
  'exchange.declare'(channel, args) {
    refuseDefaultExchange(args.exchange);
    if (args.passive) requireExchange(channel, args.exchange);
    else declare(channel, args);
    if (!args.nowait) channel.send('exchange.declare-ok', {});
  },

  'exchange.delete'(channel, { exchange: name, ifUnused, nowait }) {
    refuseDefaultExchange(name);
    const { virtualHost } = channel;
    const where = exchangeAt(name, virtualHost.name);
    if (name.startsWith('amq.')) throw new AmqpError('ACCESS_REFUSED', `deletion of system ${where} not allowed`);
    const exchange = virtualHost.exchange(name);
    if (ifUnused && exchange?.inUse === true) throw new AmqpError('PRECONDITION_FAILED', `${where} in use`);
    if (exchange !== undefined) virtualHost.deleteExchange(exchange);
    if (!nowait) channel.send('exchange.delete-ok', {});
  },

  'exchange.bind'(channel, args) {
    const [source, destination] = ends(channel, args);
    checkRoom(channel, 'bindings');
    channel.virtualHost.bind(source, destination, args);
    if (!args.nowait) channel.send('exchange.bind-ok', {});
  },

  'exchange.unbind'(channel, args) {
    refuseDefaultExchange(args.source);
    refuseDefaultExchange(args.destination);
    const [source, destination] = [channel.virtualHost.exchange(args.source), channel.virtualHost.exchange(args.destination)];
    if (source !== undefined && destination !== undefined) channel.virtualHost.unbind(source, destination, args);
    if (!args.nowait) channel.send('exchange.unbind-ok', {});
  },
};

function ends(channel: Channel, args: Arguments<'exchange.bind'>): [source: Exchange, destination: Exchange] {
  refuseDefaultExchange(args.source);
  refuseDefaultExchange(args.destination);
  return [requireExchange(channel, args.source), requireExchange(channel, args.destination)];
}

function declare(channel: Channel, args: Declare): void {
  const { virtualHost } = channel;
  const type = exchangeType(channel, args.type);
  const name = args.exchange.replaceAll(/[\r\n]/g, '');
  const existing = virtualHost.exchange(name);
  const where = exchangeAt(name, virtualHost.name);
  if (existing !== undefined) return checkEquivalent(existing, args, where);
  if (name.startsWith('amq.')) throw new AmqpError('ACCESS_REFUSED', `exchange name '${name}' contains reserved prefix 'amq.*'`);
  const alternate = args.arguments.get('alternate-exchange');
  if (alternate !== undefined && textOf(alternate) === undefined) {
    throw new AmqpError('PRECONDITION_FAILED', `invalid type '${typeName(alternate)}' for arg 'alternate-exchange' in ${where}`);
  }
  checkRoom(channel, 'exchanges');
  return virtualHost.addExchange({ ...args, name, type });
}

function exchangeType({ host }: Channel, type: string): ExchangeType {
  if (isExchangeType(type)) return type;
  // A plugin's type is unknown too, x-delayed-message for one.
  if (host.behaviour.unknownExchangeTypeIsFatal) throw new AmqpError('COMMAND_INVALID', `unknown exchange type '${type}'`);
  throw new AmqpError('PRECONDITION_FAILED', `unknown exchange type '${type}'`);
}

function checkEquivalent(existing: Exchange, args: Declare, where: string): void {
  checkSame('type', where, [args.type, existing.type]);
  checkSame('durable', where, [args.durable, existing.durable]);
  checkSame('auto_delete', where, [args.autoDelete, existing.autoDelete]);
  checkSame('internal', where, [args.internal, existing.internal]);
  checkSameArguments(EXCHANGE_ARGUMENTS, where, [args.arguments, existing.arguments]);
}
