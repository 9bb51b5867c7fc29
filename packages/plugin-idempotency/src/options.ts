import { InvalidOptionError, milliseconds, requireOptions } from '@warren/core';
import type { Duration } from '@warren/core';
import { LONGEST_TTL, requireStore } from '@warren/store';
import type { Store } from '@warren/store';

/** What a handler can change of the plugin's options. */
export interface IdempotencyOptions {
  /** How long a key stays with a worker that does not answer; renewed while the handler runs. Milliseconds or text. Default 30 s. */
  lease?: Duration;
  /** How long a key is remembered after its job has succeeded. Milliseconds or text. Default one day. */
  ttl?: Duration;
  /** Runs the handler in a transaction of the store, in which the key is marked: `job.transaction`. Needs a PostgreSQL store. Default false. */
  transaction?: boolean;
  /** Where the store cannot be asked: `'retry'` gives the job back until it can, `'run'` runs it without its key. Default `'retry'`. */
  onStoreError?: 'retry' | 'run';
}

export interface IdempotencyPluginOptions extends Omit<IdempotencyOptions, 'transaction'> {
  /** A store, or the URL of one, for this plugin alone. Default: the worker's, which is LMDB in `.warren/store` unless set. */
  store?: string | Store;
  /** A larger result is not kept: a duplicate is acknowledged without one. Bytes of JSON, at most 255 KiB. Default 64 KiB. */
  maxResultBytes?: number;
}

/** How one handler's jobs are guarded. Durations are whole milliseconds. */
export interface Settings {
  readonly lease: number;
  readonly ttl: number;
  readonly transaction: boolean;
  readonly onStoreError: 'retry' | 'run';
  readonly maxResultBytes: number;
}

const DEFAULTS = { lease: '30s', ttl: '1d', onStoreError: 'retry', maxResultBytes: 64 * 1024 } satisfies IdempotencyPluginOptions;

const HANDLER_OPTIONS: readonly string[] = ['lease', 'ttl', 'transaction', 'onStoreError'];
const PLUGIN_OPTIONS: readonly string[] = ['store', 'lease', 'ttl', 'maxResultBytes', 'onStoreError'];

/** A record has at most 256 KiB: what is left is for the rest of it. */
const MOST_RESULT_BYTES = 255 * 1024;

/** The plugin's options, checked, with every default filled in. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION` for the first that is wrong. */
export function settingsOf(options: IdempotencyPluginOptions): Settings {
  requireOptions(options, 'idempotency', PLUGIN_OPTIONS);
  const { lease, ttl, onStoreError, maxResultBytes } = { ...DEFAULTS, ...defined(options) };
  requireStore(options.store);
  requireResultBytes(maxResultBytes);
  return {
    lease: durationOf(lease, 'lease'),
    ttl: durationOf(ttl, 'ttl'),
    transaction: false,
    onStoreError: policyOf(onStoreError, 'onStoreError'),
    maxResultBytes,
  };
}

/** What holds for one handler; undefined where it is not guarded. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export function handlerSettingsOf(
  job: string,
  given: boolean | IdempotencyOptions | undefined,
  plugin: Settings,
): Settings | undefined {
  if (given === false) return undefined;
  if (given === undefined || given === true) return plugin;
  const where = `idempotency of the handler of job "${job}"`;
  requireOptions(given, where, HANDLER_OPTIONS);
  const { lease = plugin.lease, ttl = plugin.ttl, transaction = false, onStoreError } = given;
  requireTransaction(`${where}.transaction`, transaction, onStoreError);
  return {
    ...plugin,
    lease: durationOf(lease, `${where}.lease`),
    ttl: durationOf(ttl, `${where}.ttl`),
    transaction,
    onStoreError: transaction ? 'retry' : policyOf(onStoreError ?? plugin.onStoreError, `${where}.onStoreError`),
  };
}

/** Checks a handler's `key`. */
export function requireKeyFunction(job: string, key: unknown): void {
  if (key === undefined || typeof key === 'function') return;
  throw new InvalidOptionError({
    option: `key of the handler of job "${job}"`,
    expected: 'a function of the job that returns text',
    got: key,
  });
}

function requireResultBytes(got: unknown): void {
  if (Number.isSafeInteger(got) && (got as number) >= 0 && (got as number) <= MOST_RESULT_BYTES) return;
  throw new InvalidOptionError({ option: 'maxResultBytes', expected: `a whole number from 0 to ${MOST_RESULT_BYTES}`, got });
}

/** A transaction of a store that is away cannot be had: the job can only come again. */
function requireTransaction(option: string, transaction: unknown, onStoreError: unknown): void {
  if (typeof transaction !== 'boolean') throw new InvalidOptionError({ option, expected: 'true or false', got: transaction });
  if (!transaction || onStoreError !== 'run') return;
  throw new InvalidOptionError({ option, expected: "no onStoreError: 'run' beside it", got: onStoreError });
}

function durationOf(duration: Duration, option: string): number {
  const ms = Math.ceil(milliseconds(duration, option));
  if (ms > 0 && ms <= LONGEST_TTL) return ms;
  throw new InvalidOptionError({ option, expected: 'more than 0, and at most ten years', got: duration });
}

function policyOf(policy: unknown, option: string): 'retry' | 'run' {
  if (policy === 'retry' || policy === 'run') return policy;
  throw new InvalidOptionError({ option, expected: "'retry' or 'run'", got: policy });
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
