// What a worker would declare against what is there. Nothing is created: a thing is declared actively only where it exists.
import { TopologyMismatchError } from '@warren/core';
import type { Exchange, Queue, Topology } from '@warren/core';
import type { Broker } from '../broker/broker.js';
import { unlessMissing } from '../queues/inventory.js';

export interface Drift {
  readonly missing: readonly string[];
  readonly mismatches: readonly TopologyMismatchError[];
}

export async function compareTopology(broker: Broker, topology: Topology): Promise<Drift> {
  const missing: string[] = [];
  const mismatches: TopologyMismatchError[] = [];
  const compare = async (what: string, compared: Promise<Comparison>): Promise<void> => {
    const result = await compared;
    if (result === 'missing') missing.push(what);
    else if (result) mismatches.push(result);
  };
  for (const exchange of topology.exchanges.values())
    await compare(`exchange "${exchange.name}"`, compareExchange(broker, exchange));
  for (const queue of topology.queues.values()) {
    // Exclusive queues belong to another connection and auto-delete ones come and go: their absence says nothing.
    if (queue.exclusive || queue.autoDelete) continue;
    await compare(`queue "${queue.name}"`, existingQueue(broker, queue));
  }
  return { missing, mismatches };
}

type Comparison = 'missing' | TopologyMismatchError | undefined;

async function compareExchange(broker: Broker, { name, type, ...options }: Exchange): Promise<Comparison> {
  const what = `Exchange "${name}"`;
  const found = await unlessMissing(broker.call(what, (channel) => channel.checkExchange(name)));
  return found ? mismatch(broker.call(what, (channel) => channel.assertExchange(name, type, options))) : 'missing';
}

async function existingQueue(broker: Broker, queue: Queue): Promise<Comparison> {
  const found = await unlessMissing(broker.queue(queue.name));
  return found ? compareQueue(broker, queue) : 'missing';
}

/** How a queue that exists differs from its definition. */
export function compareQueue(
  broker: Broker,
  { name, durable, autoDelete, exclusive, arguments: args }: Queue,
): Promise<TopologyMismatchError | undefined> {
  return mismatch(
    broker.call(`Queue "${name}"`, (channel) => channel.assertQueue(name, { durable, autoDelete, exclusive, arguments: args })),
  );
}

async function mismatch(declared: Promise<unknown>): Promise<TopologyMismatchError | undefined> {
  try {
    await declared;
    return undefined;
  } catch (error) {
    if (error instanceof TopologyMismatchError) return error;
    throw error;
  }
}
