// worker queues, worker exchanges, worker consumers: what is on the broker.
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { openSession } from '../broker/session.js';
import type { Session, SessionFlags } from '../broker/session.js';
import type { Management } from '../broker/management.js';
import { printJson, printTable, say } from '../output.js';
import { DELAY, takeInventory, unlessMissing } from './inventory.js';

export async function listQueues(flags: SessionFlags): Promise<number> {
  await using session = await openSession(flags);
  const { source, queues, delayed } = await takeInventory(session);
  if (flags.json) {
    printJson({ source, queues, delayed });
    return EXIT.done;
  }
  const rows = queues.map(({ name, type, ready, unacked, consumers }) => [name, type, ready ?? 'not there', unacked, consumers]);
  if (delayed !== undefined) rows.push([`delayed (${delayed} held)`, undefined, delayed, undefined, undefined]);
  if (rows.length > 0) printTable(['QUEUE', 'TYPE', 'READY', 'UNACKED', 'CONSUMERS'], rows);
  say(rows.length > 0 ? source : `none: ${source}`, flags);
  return EXIT.done;
}

interface ExchangeRow {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
}

export async function listExchanges(flags: SessionFlags): Promise<number> {
  await using session = await openSession(flags);
  const { management } = session;
  const all = management ? await managedExchanges(management) : await passiveExchanges(session);
  const exchanges = all.filter(({ name }) => !DELAY.test(name));
  const ofDelays = all.length - exchanges.length;
  const source = management
    ? `all exchanges, from the management API at ${management.address}`
    : 'the exchanges of the configuration and the handlers, by passive declaration; for all give --management-url';
  if (flags.json) {
    printJson({ source, exchanges, ofDelays });
    return EXIT.done;
  }
  const rows = exchanges.map(({ name, type, ...features }) => [name || '(default)', type, featuresOf(features)]);
  if (ofDelays > 0) rows.push([`delays (${ofDelays} exchanges)`, 'topic', 'durable']);
  if (rows.length > 0) printTable(['EXCHANGE', 'TYPE', 'FEATURES'], rows);
  say(rows.length > 0 ? source : `none: ${source}`, flags);
  return EXIT.done;
}

function featuresOf({ durable, autoDelete, internal }: Omit<ExchangeRow, 'name' | 'type'>): string {
  return [durable && 'durable', autoDelete && 'auto-delete', internal && 'internal'].filter(Boolean).join(', ');
}

async function managedExchanges(management: Management): Promise<ExchangeRow[]> {
  const exchanges = await management.exchanges();
  return exchanges.map(({ name, type, durable, auto_delete: autoDelete, internal }) => ({
    name,
    type,
    durable,
    autoDelete,
    internal,
  }));
}

async function passiveExchanges({ broker, topology }: Session): Promise<ExchangeRow[]> {
  const rows: ExchangeRow[] = [];
  for (const { name, type, durable, autoDelete, internal } of topology.exchanges.values()) {
    const found = await unlessMissing(broker.call(`Exchange "${name}"`, (channel) => channel.checkExchange(name)));
    if (found) rows.push({ name, type, durable, autoDelete, internal });
  }
  return rows;
}

export async function listConsumers(flags: SessionFlags): Promise<number> {
  await using session = await openSession(flags);
  const { management } = session;
  if (!management) {
    throw new UsageError(
      'Only the management API knows single consumers: give --management-url. "worker queues" counts them without it.',
    );
  }
  const consumers = (await management.consumers()).map((consumer) => ({
    queue: consumer.queue.name,
    tag: consumer.consumer_tag,
    connection: consumer.channel_details.connection_name,
    prefetch: consumer.prefetch_count,
    acknowledges: consumer.ack_required,
  }));
  if (flags.json) {
    printJson({ consumers });
    return EXIT.done;
  }
  const rows = consumers.map(({ queue, tag, connection, prefetch, acknowledges }) => [
    queue,
    tag,
    connection,
    prefetch,
    acknowledges ? 'yes' : 'no',
  ]);
  if (rows.length > 0) printTable(['QUEUE', 'CONSUMER', 'CONNECTION', 'PREFETCH', 'ACKS'], rows);
  say(`${rows.length} consumers, from the management API at ${management.address}`, flags);
  return EXIT.done;
}
