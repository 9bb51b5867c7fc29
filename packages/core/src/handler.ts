import type { ConsumerOptions } from './connection.js';
import type { DependencyContainer } from './container.js';
import { InvalidOptionError } from './errors.js';
import type { Job, JobType } from './job.js';
import type { HandlerOptions } from './options.js';
import type { RetryPolicy } from './retry.js';

/** Does the work of a job. Returns nothing or a result (both acknowledge), or an `Outcome`; throws to fail. */
export type HandlerFunction<P> = (job: Job<P>) => unknown;

/** A handler as a class: the worker's container makes one instance, at start. */
export type HandlerClass<P> = new (...args: never[]) => { handle(job: Job<P>): unknown };

export type Handler<P> = HandlerFunction<P> | HandlerClass<P>;

/** What `worker.handle` takes, as a value: what a handler module exports. */
export interface HandlerDefinition<P = unknown> {
  readonly job: JobType<P>;
  readonly handler: Handler<P>;
  readonly options: HandlerOptions;
}

/** Says which function or class handles a job, for a module that `worker start --handlers` loads. */
export function handler<P>(job: JobType<P>, handler: Handler<P>, options: HandlerOptions = {}): HandlerDefinition<P> {
  return { job, handler, options };
}

/** What a plugin is told about a handler at start. */
export interface HandlerInfo {
  readonly job: JobType;
  readonly options: HandlerOptions;
  /** The handler's, or the worker's. */
  readonly policy: RetryPolicy;
  /** The consumer of the handler's queue, shared by all of that queue's handlers. A plugin may change it until consuming begins. */
  readonly consumer: ConsumerOptions;
}

/** The function to call for each job; a class is resolved here, once. */
export function resolveHandler(definition: HandlerDefinition, container: DependencyContainer): HandlerFunction<unknown> {
  const { job, handler } = definition;
  if (typeof handler !== 'function') {
    throw new InvalidOptionError({
      option: `handler of job "${job.name}"`,
      expected: 'a function, or a class with a handle(job) method',
      got: handler,
    });
  }
  if (!isHandlerClass(handler)) return handler;
  const instance = container.resolve(handler as new () => InstanceType<HandlerClass<unknown>>);
  return (current) => instance.handle(current);
}

function isHandlerClass(handler: Handler<unknown>): handler is HandlerClass<unknown> {
  return typeof (handler.prototype as { handle?: unknown } | undefined)?.handle === 'function';
}
