// A user's project: its configuration, plugins and handlers, as a worker that is not started.
import { milliseconds, Topology, Worker } from '@warren/core';
import type { HandlerDefinition, JobType, Logger, WorkerOptions } from '@warren/core';
import type { Store } from '@warren/store';
import { UnknownJobNameError } from '../errors.js';
import type { LoadedConfig, WorkerConfig } from './config.js';
import { DEFAULT_HANDLERS, findHandlers, registerHandlers } from './handlers.js';
import { loadPlugins } from './plugins.js';
import type { LoadedPlugin } from './plugins.js';
import { projectStore } from './store.js';

/** Milliseconds: a command that a person waits for does not wait long for its broker. `startTimeout` changes it. */
export const CONNECT_TIMEOUT = 5_000;

/** A worker that shows what was registered. */
class ProjectWorker extends Worker {
  get registered(): readonly HandlerDefinition[] {
    return this.definitions;
  }
}

/** Disposed of, it closes its store. */
export interface Project extends AsyncDisposable {
  readonly config: LoadedConfig;
  readonly plugins: readonly LoadedPlugin[];
  /** The worker with the project's handlers, not started. */
  readonly worker: Worker;
  /** What its options are, for a worker without handlers. */
  readonly options: WorkerOptions;
  readonly definitions: readonly HandlerDefinition[];
  /** Milliseconds. */
  readonly shutdownTimeout: number;
  /** What the plugins share; undefined where the configuration's container has its own. */
  readonly store: Store | undefined;
}

export interface LoadOptions {
  readonly logger?: Logger;
  /** `required`: no handlers is an error. `optional`: those of the default folder if there are any. `none`: not loaded. */
  readonly handlers: 'required' | 'optional' | 'none';
  /** Plugins to add, by name, unless the configuration has them. */
  readonly needs?: readonly string[];
}

/** Loads plugins and handlers; nothing is connected. Throws a `ConfigurationError` for the first thing that is wrong. */
export async function loadProject(config: LoadedConfig, { logger, handlers: wanted, needs = [] }: LoadOptions): Promise<Project> {
  const { handlers, shutdownTimeout = 0 } = config.values;
  const plugins = await projectPlugins(config, needs);
  const { store, container } = projectStore(config);
  const options: WorkerOptions = {
    ...workerOptions(config.values),
    ...(logger && { logger }),
    plugins: plugins.map(({ plugin }) => plugin),
    container,
  };
  const worker = new ProjectWorker(options);
  await registerHandlers(worker, await handlerFiles(handlers, wanted, config.cwd), config.cwd);
  return {
    config,
    plugins,
    worker,
    options,
    definitions: worker.registered,
    shutdownTimeout: milliseconds(shutdownTimeout),
    store,
    // All that was asked of it is answered: a store that does not answer its end undoes nothing.
    [Symbol.asyncDispose]: async () => store?.close().catch(() => {}),
  };
}

/** Settings of the command line itself. */
const OURS: ReadonlySet<string> = new Set<keyof WorkerConfig>([
  'plugins',
  'handlers',
  'shutdownTimeout',
  'logLevel',
  'managementUrl',
  'store',
]);

function workerOptions(values: WorkerConfig): Omit<WorkerOptions, 'plugins'> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !OURS.has(name)));
}

async function projectPlugins(config: LoadedConfig, needs: readonly string[]): Promise<LoadedPlugin[]> {
  const { cwd, made, values } = config;
  const loaded = await loadPlugins(values.plugins ?? [], { cwd, made });
  const missing = needs.filter((name) => !loaded.some(({ plugin }) => plugin.name === name));
  return [...loaded, ...(await loadPlugins(missing, { cwd, made }))];
}

async function handlerFiles(
  given: string | readonly string[] | undefined,
  wanted: LoadOptions['handlers'],
  cwd: string,
): Promise<string[]> {
  if (wanted === 'none') return [];
  if (given !== undefined || wanted === 'required') return findHandlers([given ?? DEFAULT_HANDLERS].flat(), cwd);
  return findHandlers(DEFAULT_HANDLERS, cwd).catch(() => []);
}

/** The job that a handler module defines under this name. Throws `ERR_JOB_NOT_FOUND`. */
export function jobOf({ definitions }: Project, name: string): JobType {
  const found = definitions.find(({ job }) => job.name === name);
  if (!found) throw new UnknownJobNameError({ job: name, known: definitions.map(({ job }) => job.name) });
  return found.job;
}

/** What a started worker would declare. */
export function topologyOf({ plugins, definitions }: Pick<Project, 'plugins' | 'definitions'>): Topology {
  const topology = new Topology();
  for (const { plugin } of plugins) plugin.topology?.(topology);
  for (const { job } of definitions) topology.boundQueue(job.queue, job.bindings);
  return topology;
}
