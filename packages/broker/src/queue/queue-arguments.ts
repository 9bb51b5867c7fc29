import { typeName, type Field, type FieldTable } from '../amqp/field-table.js';
import { integerOf, textOf } from '../amqp/fields.js';
import { AmqpError } from '../amqp/replies.js';
import type { Behaviour } from '../compat.js';

// The `x-` arguments of queue.declare (https://www.rabbitmq.com/docs/queues#optional-arguments), with RabbitMQ's reply texts.

export type QueueType = 'classic' | 'quorum';
export type Overflow = 'drop-head' | 'reject-publish' | 'reject-publish-dlx';

export interface QueueSettings {
  readonly type: QueueType;
  readonly messageTtl: number | undefined;
  readonly expires: number | undefined;
  readonly deadLetterExchange: string | undefined;
  readonly deadLetterRoutingKey: string | undefined;
  /** A dead letter stays until its target has taken it (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering). */
  readonly deadLettersAtLeastOnce: boolean;
  readonly maxLength: number;
  readonly maxLengthBytes: number;
  readonly overflow: Overflow;
  readonly maxPriority: number;
  readonly singleActiveConsumer: boolean;
  readonly deliveryLimit: number | undefined;
}

/** What is wrong with a value; undefined when nothing is. */
type Check = (field: Field, args: FieldTable) => string | undefined;

const integer: Check = (field) => (integerOf(field) === undefined ? `"expected integer, got ${typeName(field)}"` : undefined);
const notNegative: Check = (field, args) =>
  integer(field, args) ?? ((integerOf(field) as number) < 0 ? `{value_negative,${integerOf(field)}}` : undefined);
const positive: Check = (field, args) => notNegative(field, args) ?? (integerOf(field) === 0 ? '{value_zero,0}' : undefined);
const priority: Check = (field, args) =>
  notNegative(field, args) ?? ((integerOf(field) as number) > 255 ? `{max_value_exceeded,${integerOf(field)}}` : undefined);
const text: Check = (field) => (textOf(field) === undefined ? `{unacceptable_type,${typeName(field)}}` : undefined);
const flag: Check = (field) => (field.type === 't' ? undefined : `{unacceptable_type,${typeName(field)}}`);
const oneOf =
  (why: string, ...names: string[]): Check =>
  (field, args) =>
    text(field, args) ?? (names.includes(textOf(field) as string) ? undefined : why);
const needsExchange: Check = (field, args) =>
  text(field, args) ?? (args.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined');

const CHECKS: Readonly<Record<string, Check>> = {
  'x-expires': positive,
  'x-message-ttl': notNegative,
  'x-dead-letter-routing-key': needsExchange,
  'x-dead-letter-strategy': oneOf('invalid_dlx_strategy', 'at-most-once', 'at-least-once'),
  'x-max-length': notNegative,
  'x-max-length-bytes': notNegative,
  'x-max-priority': priority,
  'x-overflow': oneOf('invalid_overflow', 'drop-head', 'reject-publish', 'reject-publish-dlx'),
  'x-single-active-consumer': flag,
  'x-queue-mode': oneOf('invalid_queue_mode', 'default', 'lazy'),
  'x-queue-version': (field, args) =>
    integer(field, args) ?? ([1, 2].includes(integerOf(field) as number) ? undefined : 'unsupported_queue_version'),
  'x-delivery-limit': (field, args) => (integerOf(field) === -1 ? undefined : notNegative(field, args)),
};

/** Arguments that only the other type of queue knows. */
const FOREIGN: Readonly<Record<QueueType, readonly string[]>> = {
  classic: ['x-delivery-limit', 'x-quorum-initial-group-size', 'x-dead-letter-strategy'],
  quorum: ['x-max-priority', 'x-queue-mode'],
};

/** Checks the arguments of a new queue and gives them as settings. `where` reads like "queue 'q' in vhost '/'". */
export function readQueueArguments(args: FieldTable, where: string, behaviour: Behaviour): QueueSettings {
  const type = readType(args, where);
  const foreign = FOREIGN[type].find((name) => args.has(name));
  if (foreign !== undefined)
    throw new AmqpError('PRECONDITION_FAILED', `invalid arg '${foreign}' for ${where} of queue type rabbit_${type}_queue`);
  const exchange = args.get('x-dead-letter-exchange');
  if (exchange !== undefined && textOf(exchange) === undefined) {
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `invalid type '${typeName(exchange)}' for arg 'x-dead-letter-exchange' in ${where}`,
    );
  }
  for (const [name, check] of Object.entries(CHECKS)) {
    const field = args.get(name);
    const why = field && check(field, args);
    if (why !== undefined) throw new AmqpError('PRECONDITION_FAILED', `invalid arg '${name}' for ${where}: ${why}`);
  }
  return settings(args, type, behaviour);
}

function settings(args: FieldTable, type: QueueType, behaviour: Behaviour): QueueSettings {
  const overflow = (textOf(args.get('x-overflow')) as Overflow | undefined) ?? 'drop-head';
  return {
    type,
    messageTtl: integerOf(args.get('x-message-ttl')),
    expires: integerOf(args.get('x-expires')),
    deadLetterExchange: textOf(args.get('x-dead-letter-exchange')),
    deadLetterRoutingKey: textOf(args.get('x-dead-letter-routing-key')),
    // RabbitMQ falls back to at-most-once unless the queue refuses what is too much.
    deadLettersAtLeastOnce: textOf(args.get('x-dead-letter-strategy')) === 'at-least-once' && overflow === 'reject-publish',
    maxLength: integerOf(args.get('x-max-length')) ?? Infinity,
    maxLengthBytes: integerOf(args.get('x-max-length-bytes')) ?? Infinity,
    overflow,
    maxPriority: integerOf(args.get('x-max-priority')) ?? 0,
    singleActiveConsumer: args.get('x-single-active-consumer')?.value === true,
    deliveryLimit: type === 'quorum' ? deliveryLimit(args, behaviour) : undefined,
  };
}

function deliveryLimit(args: FieldTable, behaviour: Behaviour): number | undefined {
  const limit = integerOf(args.get('x-delivery-limit')) ?? behaviour.defaultDeliveryLimit;
  return limit === -1 ? undefined : limit;
}

function readType(args: FieldTable, where: string): QueueType {
  const field = args.get('x-queue-type');
  if (field === undefined) return 'classic';
  const type = textOf(field);
  if (type === 'classic' || type === 'quorum') return type;
  const why = type === undefined ? `{unacceptable_type,${typeName(field)}}` : `"unsupported queue type '${type}'"`;
  throw new AmqpError('PRECONDITION_FAILED', `invalid arg 'x-queue-type' for ${where}: ${why}`);
}
