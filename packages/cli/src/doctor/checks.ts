// One check each. A check says what it found; what it cannot find out it leaves out.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { milliseconds, never } from '@warren/core';
import type { HandlerDefinition, HandlerInfo, Queue } from '@warren/core';
import { shortTime } from '../start/readable.js';
import type { Broker } from '../broker/broker.js';
import type { Project } from '../project/project.js';
import { knownQueues, unlessMissing, UNROUTABLE } from '../queues/inventory.js';
import { folderOf } from '../project/store.js';
import { redacted } from '../project/redacted.js';
import { durationOf } from '../publish/options.js';
import { compareTopology } from './topology.js';
import { topologyOf } from '../project/project.js';

export interface Finding {
  readonly check: string;
  /** `problem` makes the exit code 1. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly detail: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, status: 'ok', detail });
export const warning = (check: string, detail: string): Finding => ({ check, status: 'warning', detail });
export const problem = (check: string, detail: string): Finding => ({ check, status: 'problem', detail });

/** As package.json's `engines`. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 20) || (major === 24 && minor >= 12) || major > 24;
  return fits ? ok('node', version) : problem('node', `${version}: Warren runs on Node 20.19, 22.20, 24.12 and later`);
}

export async function checkTopology(broker: Broker, project: Project): Promise<Finding[]> {
  const topology = topologyOf(project);
  const { missing, mismatches } = await compareTopology(broker, topology);
  const findings = mismatches.map(({ message }) => problem('topology', message));
  if (missing.length > 0) findings.push(warning('topology', `${listed(missing)} missing: the next start declares what is`));
  const undeclared = project.definitions.map(({ job }) => job.queue).filter(({ declare }) => !declare);
  for (const { name } of undeclared) {
    const found = await unlessMissing(broker.queue(name));
    if (!found) findings.push(problem('topology', `queue "${name}" is missing, and its job says declare: false`));
  }
  const parts = topology.queues.size + topology.exchanges.size;
  return findings.length > 0 ? findings : [ok('topology', `${parts} queues and exchanges are as this project declares them`)];
}

/** Names, the first few of them. */
function listed(names: readonly string[]): string {
  const first = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${first} and ${names.length - 3} more are` : `${first} ${names.length === 1 ? 'is' : 'are'}`;
}

/** A job that runs longer than the broker waits for its acknowledgement is delivered again while it runs. */
export function checkTimeouts(
  definitions: readonly HandlerDefinition[],
  broker: Broker | undefined,
  consumerTimeout: number,
): Finding[] {
  return definitions.flatMap(({ job, options }) => {
    const limit = brokerLimit(job.queue, broker, consumerTimeout);
    const { timeout = 0 } = options;
    if (timeout <= limit) return [];
    const detail = `job "${job.name}" may run ${shortTime(timeout)}, but the broker waits ${shortTime(limit)} for its acknowledgement: raise consumer_timeout on the broker, or lower the timeout`;
    return [problem('timeouts', detail)];
  });
}

function brokerLimit({ arguments: args }: Queue, broker: Broker | undefined, consumerTimeout: number): number {
  const own = args['x-consumer-timeout'];
  if (typeof own === 'number') return own;
  const classic = args['x-queue-type'] === 'classic';
  return classic && broker?.capabilities.consumerTimeout.classic === 'none' ? Infinity : consumerTimeout;
}

/** The broker's default: rabbitmq.com/docs/consumers#acknowledgement-timeout. */
export function consumerTimeoutOf(given: string | undefined): number {
  return milliseconds(durationOf(given ?? '30m'), '--consumer-timeout');
}

/** A prefetch for a whole channel, where the broker would ignore it. */
export function checkPrefetch({ plugins, definitions, worker }: Project, broker: Broker): Finding[] {
  if (broker.capabilities.channelPrefetch) return [];
  for (const { plugin } of plugins) plugin.register?.(worker.container);
  return definitions.flatMap(({ job, options }) => {
    const info: HandlerInfo = { job, options, policy: never, consumer: { queue: job.queue.name, prefetch: 0 } };
    for (const { plugin } of plugins) {
      // A layer may need services that only a started worker has; what it asks of the consumer it has often asked by then.
      try {
        plugin.consume?.(() => Promise.reject(new Error('not started')), info, worker.container);
      } catch {
        continue;
      }
    }
    if (!info.consumer.channelPrefetch) return [];
    return [
      problem(
        'prefetch',
        `queue "${job.queue.name}" has a prefetch for its channel, which ${broker.capabilities.version} ignores: use prefetch`,
      ),
    ];
  });
}

/** Whether the store answers, and in which time; of a folder without a store nothing is known, for asking would make one. */
export async function checkStore({ store, config }: Project): Promise<Finding[]> {
  const { store: address = '' } = config.values;
  if (!store) return [];
  const folder = folderOf(address, config.cwd);
  if (folder !== undefined && !existsSync(join(folder, LMDB_FILE)))
    return config.origins.store === 'default' ? [] : [ok('store', `${address}: the first start makes it`)];
  const began = performance.now();
  await store.get('doctor');
  return [ok('store', `${redacted(address)} answers in ${shortTime(performance.now() - began)}`)];
}

/** What makes a folder a store of LMDB. */
const LMDB_FILE = 'data.mdb';

/** Delayed messages whose destination was gone when they came due. */
export async function checkUnroutable(broker: Broker, project: Project): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name } of knownQueues(topologyOf(project), []).filter((queue) => UNROUTABLE.test(queue.name))) {
    const found = await unlessMissing(broker.queue(name));
    const count = found?.messageCount ?? 0;
    if (count > 0)
      findings.push(
        problem(
          'delays',
          `${count} delayed messages could not be delivered and are kept in "${name}": worker queues peek ${name}`,
        ),
      );
  }
  return findings;
}
