// worker queues inspect, peek, purge: one queue.
import type { GetMessage } from 'amqplib';
import { redactUrl } from '@warren/core';
import { confirmed } from '../confirm.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { openSession } from '../broker/session.js';
import type { Session, SessionFlags } from '../broker/session.js';
import { print, printable, printJson, printTable, say } from '../output.js';
import { warnOfDeliveryLimit } from './delivery-limit.js';
import { compareQueue } from '../doctor/topology.js';

export interface QueueFlags extends SessionFlags {
  readonly name: string;
  readonly limit?: string | undefined;
  readonly yes?: boolean | undefined;
}

/** What is known of the queue: from the management API, or its counts; and how it differs from what the project would declare. */
export async function inspectQueue(flags: QueueFlags): Promise<number> {
  const { name } = flags;
  await using session = await openSession(flags);
  const { broker, management, topology } = session;
  const { messageCount, consumerCount } = await broker.queue(name);
  const known = topology.queues.get(name);
  const drift = known ? await compareQueue(broker, known) : undefined;
  const facts = {
    name,
    ready: messageCount,
    consumers: consumerCount,
    ...(management && (await managedFacts(management, name))),
    drift: known ? (drift?.message ?? 'none') : 'not declared by this project',
  };
  if (flags.json) printJson(facts);
  else
    printTable(
      [],
      Object.entries(facts).map(([fact, value]) => [fact, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
    );
  return EXIT.done;
}

async function managedFacts(management: NonNullable<Session['management']>, name: string): Promise<object> {
  const [queue, bindings] = await Promise.all([management.queue(name), management.queueBindings(name)]);
  const { type, durable, arguments: args, policy, state, messages_unacknowledged: unacked } = queue;
  const from = bindings.filter(({ source }) => source !== '').map(({ source, routing_key: key }) => `${source} ${key}`);
  return { unacked, type, durable, state, policy: policy ?? 'none', arguments: args, bindings: from };
}

/** Bytes of a body that are shown. */
const SHOWN_BODY = 2_000;

/** Takes messages and gives them back with one nack, so that they keep their order. */
export async function peekQueue(flags: QueueFlags): Promise<number> {
  const { name } = flags;
  const limit = limitOf(flags.limit ?? '10');
  await using session = await openSession(flags);
  const { broker } = session;
  await warnOfDeliveryLimit(session, name, flags);
  const messages = await broker.call(`Queue "${name}"`, async (channel) => {
    const taken: GetMessage[] = [];
    while (taken.length < limit) {
      const message = await channel.get(name);
      if (!message) break;
      taken.push(message);
    }
    const last = taken.at(-1);
    if (last) channel.nack(last, true, true);
    await channel.close();
    return taken;
  });
  const shown = messages.map(messageFacts);
  if (flags.json) printJson(shown);
  else for (const message of shown) print(readableMessage(message));
  say(`${shown.length} shown and given back`, flags);
  return EXIT.done;
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return limit;
  throw new UsageError(`--limit: expected a whole number from 1 to 1000, got "${text}".`);
}

function messageFacts({ fields, properties, content }: GetMessage): {
  properties: object;
  body: string;
  [fact: string]: unknown;
} {
  const set = Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
  const text = content.subarray(0, SHOWN_BODY).toString();
  const { exchange, routingKey, redelivered } = fields;
  return {
    exchange,
    routingKey,
    redelivered,
    bytes: content.length,
    properties: set,
    body: content.length > SHOWN_BODY ? `${text}…` : text,
  };
}

function readableMessage({ properties, body, ...facts }: ReturnType<typeof messageFacts>): string {
  const head = Object.entries(facts).map(([fact, value]) => `${fact}=${String(value)}`);
  return `${printable(head.join('  '))}\n  ${printable(JSON.stringify(properties))}\n  ${printable(body)}`;
}

/** Asks first: there is no undo. */
export async function purgeQueue(flags: QueueFlags): Promise<number> {
  const { name } = flags;
  await using session = await openSession(flags);
  const { broker } = session;
  const { messageCount } = await broker.queue(name);
  const loss = `Purging queue "${name}" at ${redactUrl(broker.url)} loses its ${messageCount} ready messages.`;
  if (!flags.yes && !(await confirmed(loss))) {
    say('nothing purged', flags);
    return EXIT.failed;
  }
  const purged = await broker.call(`Queue "${name}"`, (channel) => channel.purgeQueue(name));
  if (flags.json) printJson({ queue: name, removed: purged.messageCount });
  else print(`${purged.messageCount} messages removed`);
  return EXIT.done;
}
