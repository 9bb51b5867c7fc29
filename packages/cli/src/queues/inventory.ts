// Which queues there are and what they hold: by the management API, else by passive declarations of those that the project knows.
import { TopologyMissingError } from '@warren/core';
import type { Queue, Topology } from '@warren/core';
import type { Session } from '../broker/session.js';
import type { Broker } from '../broker/broker.js';
import type { Management } from '../broker/management.js';

export interface QueueRow {
  readonly name: string;
  readonly type: string | undefined;
  /** Undefined: the queue is not there. */
  readonly ready: number | undefined;
  /** Undefined where only the management API would know. */
  readonly unacked: number | undefined;
  readonly consumers: number | undefined;
}

export interface Inventory {
  /** Where the numbers come from, in a sentence. */
  readonly source: string;
  readonly queues: readonly QueueRow[];
  /** Messages that plugin-delay holds, in all its levels; undefined where there are none. */
  readonly delayed: number | undefined;
}

/** plugin-delay's queues, with whatever prefix: one for each digit of a delay, and one on the way to each queue. */
const DELAY_LEVEL = /^[\w-]{1,20}\.v1\.(?:L\d\d|x)\./;
/** Where it keeps what it could not deliver. */
export const UNROUTABLE: RegExp = /^[\w-]{1,20}\.v1\.unroutable$/;
/** All of plugin-delay's names. */
export const DELAY: RegExp = /^[\w-]{1,20}\.v1\./;

/** The queues, with plugin-delay's levels folded into one number. */
export async function takeInventory({ broker, management, topology, project }: Session): Promise<Inventory> {
  const names = knownQueues(
    topology,
    project.definitions.map(({ job }) => job.queue),
  );
  const rows = management ? await managedRows(management) : await passiveRows(broker, names);
  const [levels, queues] = partition(rows, ({ name }) => DELAY_LEVEL.test(name));
  const shown = queues.filter(({ name, ready, unacked }) => !UNROUTABLE.test(name) || (ready ?? 0) + (unacked ?? 0) > 0);
  const delayed = levels.some(({ ready }) => ready !== undefined)
    ? levels.reduce((sum, { ready = 0 }) => sum + ready, 0)
    : undefined;
  return { source: sourceOf(management), queues: shown, delayed };
}

function sourceOf(management: Management | undefined): string {
  if (management) return `all queues, from the management API at ${management.address}`;
  return 'the queues of the configuration and the handlers, by passive declaration; for all queues and for unacknowledged messages give --management-url';
}

/** The queues that the project declares or consumes. */
export function knownQueues(topology: Topology, consumed: readonly Queue[]): Queue[] {
  const known = new Map([...topology.queues.values(), ...consumed].map((queue) => [queue.name, queue]));
  return [...known.values()].toSorted((a, b) => a.name.localeCompare(b.name));
}

async function managedRows(management: Management): Promise<QueueRow[]> {
  const queues = await management.queues();
  return queues
    .map(({ name, type, messages_ready: ready = 0, messages_unacknowledged: unacked = 0, consumers = 0 }) => ({
      name,
      type,
      ready,
      unacked,
      consumers,
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

async function passiveRows(broker: Broker, queues: readonly Queue[]): Promise<QueueRow[]> {
  const rows: QueueRow[] = [];
  for (const queue of queues) rows.push(await passiveRow(broker, queue));
  return rows;
}

async function passiveRow(broker: Broker, { name, arguments: args }: Queue): Promise<QueueRow> {
  const type = typeof args['x-queue-type'] === 'string' ? args['x-queue-type'] : undefined;
  const found = await unlessMissing(broker.queue(name));
  return { name, type, ready: found?.messageCount, unacked: undefined, consumers: found?.consumerCount };
}

/** The answer, or undefined where the broker has no such thing. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TopologyMissingError) return undefined;
    throw error;
  }
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): [T[], T[]] {
  return [all.filter(holds), all.filter((one) => !holds(one))];
}
