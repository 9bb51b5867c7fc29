// worker dlq list: the dead-letter queues, and what the first messages of each died of.
import type { GetMessage } from 'amqplib';
import { EXIT } from '../exit.js';
import { openSession } from '../broker/session.js';
import type { Session, SessionFlags } from '../broker/session.js';
import { printJson, printTable, say, short } from '../output.js';
import { deliveryLimit } from '../queues/delivery-limit.js';
import { unlessMissing } from '../queues/inventory.js';
import { ago } from '../start/readable.js';
import { readLetter } from './letter.js';
import { QueueReader } from './reader.js';

interface Row {
  readonly queue: string;
  /** Undefined: it is not there. */
  readonly count: number | undefined;
  /** How many of the first messages were looked at; undefined where each look would count towards a limit. */
  readonly lookedAt: number | undefined;
  /** When the first of them died. */
  readonly oldest: string | undefined;
  /** The most frequent first. */
  readonly reasons: ReadonlyArray<{ readonly reason: string; readonly count: number }>;
}

/** Messages that are looked at in each queue. */
const SAMPLE = 200;

/** Reasons in a row of the table. */
const SHOWN_REASONS = 3;

const DEAD = /\.dead$/;

export async function list(flags: SessionFlags): Promise<number> {
  await using session = await openSession(flags);
  const rows: Row[] = [];
  for (const queue of await deadLetterQueues(session)) rows.push(await rowOf(session, queue));
  const { management } = session;
  const source = management
    ? `the dead-letter queues of the project and all that end in .dead, from the management API at ${management.address}`
    : 'the dead-letter queues of the project; for all that end in .dead give --management-url';
  if (flags.json) {
    printJson({ source, queues: rows });
    return EXIT.done;
  }
  if (rows.length > 0) printTable(['QUEUE', 'COUNT', 'OLDEST', 'REASONS'], rows.map(cellsOf));
  say(rows.length > 0 ? source : `none: ${source}`, flags);
  return EXIT.done;
}

async function deadLetterQueues({ project, management }: Session): Promise<string[]> {
  const ofProject = project.definitions.flatMap(({ job: { queue } }) =>
    queue.deadLetter?.exchange === '' ? [queue.deadLetter.routingKey] : [],
  );
  const managed = management ? (await management.queues()).map(({ name }) => name).filter((name) => DEAD.test(name)) : [];
  return [...new Set([...ofProject, ...managed])].toSorted();
}

async function rowOf(session: Session, queue: string): Promise<Row> {
  const found = await unlessMissing(session.broker.queue(queue));
  const unknown = { queue, count: found?.messageCount, lookedAt: undefined, oldest: undefined, reasons: [] };
  if (!found || (await deliveryLimit(session, queue)) !== Infinity) return unknown;
  await using reader = await QueueReader.open(session.broker, queue);
  const messages: GetMessage[] = [];
  for await (const message of reader.messages()) if (messages.push(message) >= SAMPLE) break;
  return { ...unknown, lookedAt: messages.length, ...summaryOf(messages, queue) };
}

function summaryOf(messages: readonly GetMessage[], queue: string): Pick<Row, 'oldest' | 'reasons'> {
  const letters = messages.map((message) => readLetter(message, queue));
  const counts = new Map<string, number>();
  for (const { reason = 'unknown' } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const times = letters.flatMap(({ diedAt }) => (diedAt ? [diedAt.getTime()] : []));
  return {
    oldest: times.length > 0 ? new Date(Math.min(...times)).toISOString() : undefined,
    reasons: [...counts].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count),
  };
}

function cellsOf({ queue, count, lookedAt, oldest, reasons }: Row): Array<string | number | undefined> {
  const first = reasons.slice(0, SHOWN_REASONS).map(({ reason, count }) => `${short(reason)} ×${count}`);
  const more = [
    reasons.length > SHOWN_REASONS && `${reasons.length - SHOWN_REASONS} more`,
    lookedAt !== undefined && count !== undefined && lookedAt < count && `of the first ${lookedAt}`,
    lookedAt === undefined && count !== undefined && 'not looked at: each look counts towards its delivery limit',
  ].filter((text) => text !== false);
  return [queue, count ?? 'not there', oldest && ago(oldest), [...first, ...more].join(', ') || undefined];
}
