// Dependency injection. tsyringe throws on import unless reflect-metadata came first, and must exist once in a process:
// plugins and handlers therefore import all of this from @warren/core, never from tsyringe.
import 'reflect-metadata';
import { container as globalContainer, inject as tsyringeInject, injectable as tsyringeInjectable } from 'tsyringe';
import type { DependencyContainer, InjectionToken } from 'tsyringe';
import type { Clock } from './clock.js';
import type { CodecRegistry } from './codec.js';
import type { Connection } from './connection.js';
import type { Dispatcher } from './dispatcher.js';
import type { WorkerEvents } from './events.js';
import type { Logger } from './logger.js';
import type { PluginRegistry } from './plugin-registry.js';
import type { Publisher } from './publisher.js';
import type { Topology } from './topology.js';
import { MissingInjectError } from './errors.js';

export type { DependencyContainer };

/** Names a service and carries its type. */
export type Token<T> = InjectionToken<T>;

/** Makes a token. `Symbol.for`, so that two copies of a package in one process mean the same service. */
export function token<T>(name: string): Token<T> {
  return Symbol.for(`@warren:${name}`);
}

export const CONNECTION: Token<Connection> = token('connection');
export const DISPATCHER: Token<Dispatcher> = token('dispatcher');
export const PUBLISHER: Token<Publisher> = token('publisher');
export const PLUGINS: Token<PluginRegistry> = token('plugins');
export const TOPOLOGY: Token<Topology> = token('topology');
export const CODECS: Token<CodecRegistry> = token('codecs');
export const LOGGER: Token<Logger> = token('logger');
export const CLOCK: Token<Clock> = token('clock');
export const EVENTS: Token<WorkerEvents> = token('events');
/** Aborted when the worker stops taking work. A layer that makes a job wait returns `requeue` then. */
export const STOPPING: Token<AbortSignal> = token('stopping');

/** A container of the worker's own, below `parent` (by default tsyringe's global one). */
export function createContainer(parent: DependencyContainer = globalContainer): DependencyContainer {
  return parent.createChildContainer();
}

/** Registers `value` under `name` unless the user, a test or an earlier plugin has put something there. */
export function registerDefault<T>(container: DependencyContainer, name: Token<T>, value: T): void {
  if (!container.isRegistered(name, true)) container.register(name, { useValue: value });
}

type Constructor = abstract new (...args: never[]) => unknown;

/** Names the service for a constructor parameter; the compiler checks that the token's type fits the parameter's. */
export function inject<T>(
  name: Token<T>,
): <C extends Constructor, I extends number>(
  target: [T] extends [ConstructorParameters<C>[I]] ? C : never,
  key: undefined,
  index: I,
) => void {
  return (target, key, index) => {
    tsyringeInject(name)(target, key, index);
  };
}

/** Marks a class whose constructor parameters are all injected. Throws where one has no `@inject`: tsyringe would pass `undefined`. */
export function injectable(): (target: new (...args: never[]) => unknown) => void {
  return (target) => {
    const injected = (Reflect.getOwnMetadata('injectionTokens', target) ?? {}) as Record<number, unknown>;
    for (let index = 0; index < target.length; index++) {
      if (!(index in injected)) throw new MissingInjectError({ target: target.name, index });
    }
    (tsyringeInjectable() as (target: unknown) => void)(target);
  };
}
