import type { DependencyContainer } from './container.js';
import type { HandlerInfo } from './handler.js';
import type { Job } from './job.js';
import type { Message } from './message.js';
import type { HandlerOptions, PublishOptions } from './options.js';
import type { Outcome } from './outcome.js';
import type { Topology } from './topology.js';
import type { Worker } from './worker.js';

export type Awaitable<T> = T | Promise<T>;

/** One layer around a handler. It returns `next(job)`, and is `async` only where it waits. */
export type Consume = (job: Job) => Awaitable<Outcome>;

/** One layer around publishing. */
export type Publish = (message: Message) => Promise<void>;

/**
 * A plugin: a plain object with a name. All of a worker's plugins are put into one order, a stable topological sort of the
 * order given; `register`, `topology` and `start` run forward, `stop` backward, and the first is the outermost layer in both chains.
 * What a plugin throws at start fails the start; what a layer throws is that job's failure.
 */
export interface Plugin {
  /** What `--plugins` expects. */
  readonly name: string;
  /** Plugins that must be there; they come first. */
  readonly dependsOn?: readonly string[];
  /** Plugins that come first if they are there. */
  readonly after?: readonly string[];
  /** Handler options that it owns. An option that nobody owns fails at start. */
  readonly handlerOptions?: ReadonlyArray<keyof HandlerOptions>;
  /** Publish options that it owns. */
  readonly publishOptions?: ReadonlyArray<keyof PublishOptions>;
  /** Once, when the worker is made: adds methods to it, such as `worker.enqueue`. */
  extend?(worker: Worker): void;
  /** Registers services by token, with `registerDefault`, so that what the user put there stays. */
  register?(container: DependencyContainer): void;
  /** Adds exchanges, queues and bindings: declared at start, and again on every reconnection. */
  topology?(topology: Topology): void;
  /** Once per handler, at start. Returns `next` itself where it has nothing to do for this handler. */
  consume?(next: Consume, handler: HandlerInfo, container: DependencyContainer): Consume;
  /** Once, at start. */
  publish?(next: Publish, container: DependencyContainer): Publish;
  /** Connected and declared, not consuming yet. */
  start?(container: DependencyContainer): Awaitable<void>;
  /** Drained, still connected. A plugin may serve several workers: what it keeps for one is in that one's container. */
  stop?(container: DependencyContainer): Awaitable<void>;
}
