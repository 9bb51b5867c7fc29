import type { Connect } from './amqp/connect.js';
import { requireOptions, requireWhole } from './checks.js';
import type { DependencyContainer } from './container.js';
import { InvalidOptionError } from './errors.js';
import type { Logger } from './logger.js';
import type { Headers } from './message.js';
import type { Plugin } from './plugin.js';
import { exponential } from './retry.js';
import type { Backoff, RetryPolicy } from './retry.js';

/** What a worker can be told. Durations are milliseconds. */
export interface WorkerOptions {
  /** One address or several of a cluster, `amqp://` or `amqps://`. Default `amqp://localhost`. */
  url?: string | readonly string[];
  /** Asked for addresses before each round of attempts, in place of `url`. */
  findServers?: () => Promise<string | string[]>;
  /** The socket's options: TLS (`ca`, `cert`, `key` …), and `credentials` for EXTERNAL authentication. */
  connect?: Connect;
  plugins?: readonly Plugin[];
  /** Unsettled deliveries at a time for each queue; 0 is no limit. Default 20. */
  prefetch?: number;
  /** Runs at a time of each handler. Default: as many as its queue's prefetch. */
  concurrency?: number;
  /** For handlers without a policy of their own. Default `exponential()`. */
  retry?: RetryPolicy;
  /** A larger body is dead-lettered undecoded. Default 16 MiB. */
  maxPayloadBytes?: number;
  publishBuffer?: Partial<PublishBuffer>;
  /** How long a publish may wait for its confirm. Default 30 000. */
  publishTimeout?: number;
  /** How long any other call to the broker may take. Default 10 000. */
  brokerTimeout?: number;
  /** How long `start()` tries to reach a broker. Default 30 000. */
  startTimeout?: number;
  reconnect?: Partial<ReconnectOptions>;
  /** Seconds between heartbeats; a broker that is silent for two is gone. Default 5. */
  heartbeat?: number;
  /** Default: silent. */
  logger?: Logger;
  /** A parent container, where the worker's services may be replaced. */
  container?: DependencyContainer;
}

/** What may be unconfirmed, sent or waiting to be sent. */
export interface PublishBuffer {
  messages: number;
  bytes: number;
  /** What `publish` does when it is full: wait for room, or reject with `ERR_PUBLISH_BUFFER_FULL`. */
  whenFull: 'wait' | 'reject';
}

/** Full jitter over exponential backoff. */
export interface ReconnectOptions extends Required<Pick<Backoff, 'initial' | 'factor' | 'max'>> {
  /** Attempts after which the `alarm` event is raised; Infinity for never. */
  alarmAfter: number;
}

/** What a handler can be told. Plugins add their options by declaration merging. */
export interface HandlerOptions {
  /** Default: the worker's. */
  retry?: RetryPolicy;
  /** Runs at a time of this handler in this worker. */
  concurrency?: number;
  /** Unsettled deliveries at a time for the handler's queue; the largest of the queue's handlers counts. */
  prefetch?: number;
  /** Milliseconds after which `job.signal` aborts and the job has failed. Default: none. */
  timeout?: number;
}

/** What `publish` can be told. Plugins add their options by declaration merging. */
export interface PublishOptions {
  /** Default: a random UUID. Kept by every copy of the message, so that consumers can tell duplicates. */
  messageId?: string;
  correlationId?: string;
  replyTo?: string;
  headers?: Headers;
  priority?: number;
  /** Milliseconds after which the broker dead-letters the message if nobody has taken it. */
  expiration?: number;
  /** In place of the job's. */
  exchange?: string;
  /** In place of the job's. */
  routingKey?: string;
  /** Whether a message that no queue takes is an error. Default true. */
  mandatory?: boolean;
  /** Whether the message outlives a restart of the broker. Default true. */
  persistent?: boolean;
  /** Milliseconds to wait for the confirm. Default: the worker's `publishTimeout`. */
  timeout?: number;
}

export const HANDLER_OPTIONS: ReadonlyArray<keyof HandlerOptions> = ['retry', 'concurrency', 'prefetch', 'timeout'];

export const PUBLISH_OPTIONS: ReadonlyArray<keyof PublishOptions> = [
  'messageId',
  'correlationId',
  'replyTo',
  'headers',
  'priority',
  'expiration',
  'exchange',
  'routingKey',
  'mandatory',
  'persistent',
  'timeout',
];

/** The worker's options with every default filled in. */
export interface Settings extends Omit<Required<WorkerOptions>, 'url' | 'findServers' | 'concurrency' | 'container' | 'logger'> {
  urls: readonly string[];
  findServers: (() => Promise<string | string[]>) | undefined;
  concurrency: number | undefined;
  publishBuffer: PublishBuffer;
  reconnect: ReconnectOptions;
}

const DEFAULTS = {
  url: 'amqp://localhost',
  prefetch: 20,
  maxPayloadBytes: 16 * 2 ** 20,
  publishBuffer: { messages: 10_000, bytes: 64 * 2 ** 20, whenFull: 'wait' },
  publishTimeout: 30_000,
  brokerTimeout: 10_000,
  startTimeout: 30_000,
  reconnect: { initial: 500, factor: 2, max: 30_000, alarmAfter: 5 },
  heartbeat: 5,
} satisfies WorkerOptions;

export const WORKER_OPTIONS: ReadonlyArray<keyof WorkerOptions> = [
  'url',
  'findServers',
  'connect',
  'plugins',
  'prefetch',
  'concurrency',
  'retry',
  'maxPayloadBytes',
  'publishBuffer',
  'publishTimeout',
  'brokerTimeout',
  'startTimeout',
  'reconnect',
  'heartbeat',
  'logger',
  'container',
];

/** Checks `options` and fills in the defaults. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION` for the first that is wrong. */
export function settingsOf(options: WorkerOptions): Settings {
  requireOptions(options, 'createWorker', WORKER_OPTIONS);
  const settings: Settings = {
    urls: [options.url ?? DEFAULTS.url].flat(),
    findServers: options.findServers,
    connect: options.connect ?? {},
    plugins: options.plugins ?? [],
    prefetch: options.prefetch ?? DEFAULTS.prefetch,
    concurrency: options.concurrency,
    retry: options.retry ?? exponential(),
    maxPayloadBytes: options.maxPayloadBytes ?? DEFAULTS.maxPayloadBytes,
    publishBuffer: { ...(DEFAULTS.publishBuffer as PublishBuffer), ...options.publishBuffer },
    publishTimeout: options.publishTimeout ?? DEFAULTS.publishTimeout,
    brokerTimeout: options.brokerTimeout ?? DEFAULTS.brokerTimeout,
    startTimeout: options.startTimeout ?? DEFAULTS.startTimeout,
    reconnect: { ...DEFAULTS.reconnect, ...options.reconnect },
    heartbeat: options.heartbeat ?? DEFAULTS.heartbeat,
  };
  for (const url of settings.urls) requireUrl(url);
  requireHandling(settings);
  requireBuffer(settings.publishBuffer);
  requireReconnect(settings.reconnect);
  for (const option of ['maxPayloadBytes', 'publishTimeout', 'brokerTimeout', 'startTimeout'] as const) {
    requireWhole(option, settings[option], { min: 1 });
  }
  requireWhole('heartbeat', settings.heartbeat, { min: 0, max: 65_535 });
  return settings;
}

/** Checks the options that a handler and a worker, for its handlers, can have. */
export function requireHandling(options: Partial<Record<'retry' | 'concurrency' | 'prefetch' | 'timeout', unknown>>): void {
  const { retry, concurrency, prefetch, timeout } = options;
  if (concurrency !== undefined) requireWhole('concurrency', concurrency, { min: 1 });
  if (prefetch !== undefined) requireWhole('prefetch', prefetch, { min: 0, max: 65_535 });
  if (timeout !== undefined) requireWhole('timeout', timeout, { min: 1 });
  if (retry === undefined || typeof retry === 'function') return;
  throw new InvalidOptionError({ option: 'retry', expected: 'a policy such as exponential() or a function', got: retry });
}

function requireBuffer({ messages, bytes, whenFull }: PublishBuffer): void {
  requireWhole('publishBuffer.messages', messages, { min: 1 });
  requireWhole('publishBuffer.bytes', bytes, { min: 1 });
  if (whenFull === 'wait' || whenFull === 'reject') return;
  throw new InvalidOptionError({ option: 'publishBuffer.whenFull', expected: "'wait' or 'reject'", got: whenFull });
}

function requireReconnect({ initial, factor, max, alarmAfter }: ReconnectOptions): void {
  requireWhole('reconnect.initial', initial, { min: 0 });
  requireWhole('reconnect.max', max, { min: 0 });
  if (alarmAfter !== Infinity) requireWhole('reconnect.alarmAfter', alarmAfter, { min: 1 });
  if (typeof factor === 'number' && factor >= 1) return;
  throw new InvalidOptionError({ option: 'reconnect.factor', expected: 'a number, 1 or more', got: factor });
}

function requireUrl(url: unknown): void {
  if (typeof url === 'string' && /^amqps?:\/\//.test(url) && URL.canParse(url)) return;
  // Not quoted: what is no address may still hold a password.
  throw new InvalidOptionError({
    option: 'url',
    expected: 'an address such as amqp://user:password@host:5672/vhost',
    got: typeof url === 'string' ? 'another text' : typeof url,
  });
}
