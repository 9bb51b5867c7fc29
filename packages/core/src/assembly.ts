// Wires a worker's parts together: once, at start, before anything is connected. Services are resolved here and never per message.
import { AmqpConnection } from './amqp/amqp-connection.js';
import type { Connection, ConsumerOptions } from './connection.js';
import {
  CLOCK,
  CODECS,
  CONNECTION,
  DISPATCHER,
  EVENTS,
  LOGGER,
  PLUGINS,
  PUBLISHER,
  registerDefault,
  STOPPING,
  TOPOLOGY,
} from './container.js';
import type { DependencyContainer } from './container.js';
import { declaring } from './declaring.js';
import { Dispatcher } from './dispatcher.js';
import { resolveHandler } from './handler.js';
import type { HandlerDefinition, HandlerInfo } from './handler.js';
import { concurrency, invoke, timeout } from './middleware.js';
import type { Settings } from './options.js';
import { PluginRegistry } from './plugin-registry.js';
import type { Consume } from './plugin.js';
import { Publisher } from './publisher.js';
import { Settlement } from './settlement.js';
import type { Topology } from './topology.js';

/** What `assemble` needs: a worker's settings, its handlers, and its container with the services that settings do not make. */
export interface Plan {
  readonly settings: Settings;
  readonly definitions: readonly HandlerDefinition[];
  readonly container: DependencyContainer;
}

export interface Assembly {
  readonly registry: PluginRegistry;
  readonly topology: Topology;
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly dispatcher: Dispatcher;
  /** One for each queue that has handlers. */
  readonly consumers: readonly ConsumerOptions[];
}

export function assemble(plan: Plan): Assembly {
  const { settings, definitions, container } = plan;
  const registry = new PluginRegistry([declaring(), ...settings.plugins]);
  container.register(PLUGINS, { useValue: registry });
  registry.register(container);
  const topology = container.resolve(TOPOLOGY);
  registry.topology(topology);
  for (const { job } of definitions) topology.boundQueue(job.queue, job.bindings);
  const connection = resolveConnection(plan);
  registerDefault(container, PUBLISHER, makePublisher(registry, container));
  registerDefault(container, DISPATCHER, makeDispatcher(registry, plan));
  const dispatcher = container.resolve(DISPATCHER);
  const consumers = addRoutes(dispatcher, registry, plan);
  return { registry, topology, connection, publisher: container.resolve(PUBLISHER), dispatcher, consumers };
}

function resolveConnection({ settings, container }: Plan): Connection {
  const [events, clock, logger] = [container.resolve(EVENTS), container.resolve(CLOCK), container.resolve(LOGGER)];
  registerDefault(container, CONNECTION, new AmqpConnection({ settings, events, clock, logger }));
  return container.resolve(CONNECTION);
}

function makePublisher(registry: PluginRegistry, container: DependencyContainer): Publisher {
  return new Publisher({
    connection: container.resolve(CONNECTION),
    codecs: container.resolve(CODECS),
    clock: container.resolve(CLOCK),
    options: registry.publishOptions,
    fold: (innermost) => registry.foldPublish(innermost, container),
  });
}

function makeDispatcher(registry: PluginRegistry, { settings, definitions, container }: Plan): Dispatcher {
  const publisher = container.resolve(PUBLISHER);
  const logger = container.resolve(LOGGER);
  const delays = registry.publishOptions.has('delay');
  if (!delays && definitions.length > 0)
    logger.warn({}, 'no plugin holds delayed messages: retries are immediate (add @warren/plugin-delay)');
  const settlement = new Settlement({
    publish: (message) => publisher.relay(message),
    delays,
    clock: container.resolve(CLOCK),
    logger,
  });
  return new Dispatcher({
    codecs: container.resolve(CODECS),
    settlement,
    context: publisher,
    maxPayloadBytes: settings.maxPayloadBytes,
    policy: settings.retry,
  });
}

function addRoutes(dispatcher: Dispatcher, registry: PluginRegistry, plan: Plan): ConsumerOptions[] {
  const consumers = new Map<string, ConsumerOptions>();
  for (const definition of plan.definitions) {
    const { job, options } = definition;
    const prefetch = options.prefetch ?? plan.settings.prefetch;
    const consumer = consumers.get(job.queue.name) ?? { queue: job.queue.name, prefetch };
    consumer.prefetch = widest(consumer.prefetch, prefetch);
    consumers.set(job.queue.name, consumer);
    const policy = options.retry ?? plan.settings.retry;
    const chain = fold(definition, { job, options, policy, consumer }, { registry, plan });
    dispatcher.add({ job, chain, policy });
  }
  return [...consumers.values()];
}

function fold(
  definition: HandlerDefinition,
  info: HandlerInfo,
  { registry, plan }: { registry: PluginRegistry; plan: Plan },
): Consume {
  const { container, settings } = plan;
  const { timeout: ms } = info.options;
  const innermost = invoke(resolveHandler(definition, container));
  const timed = ms === undefined ? innermost : timeout(innermost, ms, container.resolve(CLOCK));
  const layered = registry.foldConsume(timed, info, container);
  // Also without the option: after a reconnection the broker delivers a full prefetch again, while jobs of the old channel still run.
  const limit = info.options.concurrency ?? settings.concurrency ?? info.consumer.prefetch;
  return limit === 0 ? layered : concurrency(layered, limit, container.resolve(STOPPING));
}

/** The larger prefetch; 0 is no limit. */
function widest(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.max(a, b);
}
