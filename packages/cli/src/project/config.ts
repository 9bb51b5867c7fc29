// The configuration: defaults, then worker.config.*, then the environment, then flags.
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { loadConfig } from 'c12';
import { InvalidOptionError, milliseconds, requireOptions, WORKER_OPTIONS, WorkerError } from '@warren/core';
import type { Duration, Plugin, WorkerOptions } from '@warren/core';
import { ConfigNotFoundError, ModuleLoadError } from '../errors.js';
import { fromEnvironment, fromFlags } from './sources.js';
import type { ProjectFlags, Sourced } from './sources.js';
import { jiti } from './modules.js';
import { LOG_LEVELS } from './log-levels.js';
import type { LogLevel } from './log-levels.js';

/** What `worker.config.*` exports: a worker's options, and what the command line needs besides. */
export interface WorkerConfig extends Omit<WorkerOptions, 'plugins' | 'logger'> {
  /** Names as for `--plugins`, or plugins with their options: `[delay(), rateLimit({ max: 100 })]`. */
  plugins?: ReadonlyArray<string | Plugin>;
  /** Files or glob patterns, relative to the working directory. Default `./handlers/*.{ts,js,…}`. */
  handlers?: string | readonly string[];
  /** How long a stop may take: milliseconds or `'25s'`. Default 25 s. */
  shutdownTimeout?: Duration;
  /** Default `info`. */
  logLevel?: LogLevel;
  /** Address of RabbitMQ's management API, for `worker queues`: `http://user:password@host:15672`. */
  managementUrl?: string;
  /** The store that all plugins share which are not given their own: `memory:`, `lmdb:./folder`, `redis://…`, `postgres://…`. Default `lmdb:.warren/store`. */
  store?: string;
}

/** Types a configuration: `export default defineConfig({ … })`. */
export function defineConfig(config: WorkerConfig): WorkerConfig {
  return config;
}

/** All that a configuration may say. */
const KEYS: readonly string[] = [
  ...WORKER_OPTIONS.filter((option) => option !== 'logger'),
  'handlers',
  'shutdownTimeout',
  'logLevel',
  'managementUrl',
  'store',
];

const DEFAULTS: WorkerConfig = {
  url: 'amqp://localhost',
  plugins: [],
  shutdownTimeout: '25s',
  logLevel: 'info',
  store: 'lmdb:.warren/store',
};

/** The merged configuration, and where each value is from. */
export interface LoadedConfig {
  readonly cwd: string;
  /** Relative to `cwd`; undefined where there is none. */
  readonly file: string | undefined;
  readonly values: WorkerConfig;
  readonly origins: Readonly<Partial<Record<keyof WorkerConfig, string>>>;
  /** The plugins that the file made, whatever the flags say. */
  readonly made: readonly Plugin[];
}

/** Reads and checks everything; throws a `ConfigurationError` for the first thing that is wrong. */
export async function loadProjectConfig(flags: ProjectFlags): Promise<LoadedConfig> {
  const cwd = resolve(flags.cwd ?? '.');
  const { file, config } = await readConfig(cwd, flags.config);
  const inFile = file ?? 'worker.config';
  const sources: Sourced[] = [
    ...entries(DEFAULTS).map(([key, value]) => ({ key, value, origin: 'default' })),
    ...entries(config).map(([key, value]) => ({ key, value, origin: inFile })),
    ...fromEnvironment(process.env),
    ...fromFlags(flags),
  ];
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const { key, value, origin } of sources) {
    values[key] = value;
    origins[key] = origin;
  }
  check(values);
  const made = (config.plugins ?? []).filter((plugin): plugin is Plugin => typeof plugin !== 'string');
  return { cwd, file, values, origins, made };
}

function entries(config: WorkerConfig): Array<[keyof WorkerConfig, unknown]> {
  return (Object.entries(config) as Array<[keyof WorkerConfig, unknown]>).filter(([, value]) => value !== undefined);
}

async function readConfig(cwd: string, given: string | undefined): Promise<{ file: string | undefined; config: WorkerConfig }> {
  if (given !== undefined && !existsSync(resolve(cwd, given))) throw new ConfigNotFoundError({ file: resolve(cwd, given) });
  try {
    const read = await loadConfig<Record<string, unknown>>({
      cwd,
      name: 'worker',
      ...(given !== undefined && { configFile: resolve(cwd, given) }),
      jiti,
      rcFile: false,
      extend: false,
      giget: false,
      envName: false,
    });
    const file = read._configFile === undefined ? undefined : relative(cwd, read._configFile);
    const config = read.config as unknown;
    requireOptions(config, file ?? 'worker.config', KEYS);
    return { file, config };
  } catch (cause) {
    if (cause instanceof WorkerError) throw cause;
    throw new ModuleLoadError({ file: given ?? 'worker.config', cause });
  }
}

/** What core does not check, because it never sees it. */
function check({ url, plugins, handlers, logLevel, shutdownTimeout, managementUrl, store }: WorkerConfig): void {
  require('url', 'an address such as amqp://localhost', url, !Array.isArray(url) || url.length > 0);
  require('plugins', 'a list of names and plugins', plugins, Array.isArray(plugins) &&
    plugins.every((plugin) => isName(plugin) || isObject(plugin)));
  require('handlers', 'files or glob patterns', handlers, handlers === undefined || [handlers].flat().every(isName));
  require('logLevel', `one of ${LOG_LEVELS.join(', ')}`, logLevel, (LOG_LEVELS as readonly unknown[]).includes(logLevel));
  milliseconds(shutdownTimeout as Duration, 'shutdownTimeout');
  // Not quoted: what is no address may still hold a password.
  const isUrl = managementUrl === undefined || (/^https?:\/\//.test(managementUrl) && URL.canParse(managementUrl));
  require('managementUrl', 'an address such as http://user:password@host:15672', 'another text', isUrl);
  // What is no address of a store, the store says.
  const got = store === '' ? '' : typeof store;
  require('store', 'an address such as redis://localhost', got, store === undefined || isName(store));
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function require(option: string, expected: string, got: unknown, holds: boolean): void {
  if (!holds) throw new InvalidOptionError({ option, expected, got });
}
