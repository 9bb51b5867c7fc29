import { totalmem } from 'node:os';
import { BEHAVIOURS, type Compat } from './compat.js';
import { BrokerError, BrokerOptionError, ProductionError } from './errors.js';
import type { Limits } from './session/session-host.js';

export interface TlsOptions {
  /** 0, the default, is any free port. */
  readonly port?: number;
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

export interface BrokerOptions {
  /** Default 5672; 0 is any free port. */
  readonly port?: number;
  /** What to listen on. Default `localhost`: both loopback addresses. */
  readonly host?: string;
  /** Directory for durable queues and persistent messages. Default: nothing is kept. */
  readonly data?: string;
  /** Run on the caller's own thread instead of a thread of its own. Default false. */
  readonly inProcess?: boolean;
  /** Which RabbitMQ series to behave like where they differ. Default `3.x`. */
  readonly compat?: Compat;
  /** Passwords by user. Default `{ guest: 'guest' }`. */
  readonly users?: Readonly<Record<string, string>>;
  /** Default `['/']`. */
  readonly virtualHosts?: readonly string[];
  /** A second port that speaks TLS. */
  readonly tls?: TlsOptions;
  /** RabbitMQ's HTTP API: a port on loopback, 0 for any. Default: none. */
  readonly managementPort?: number;
  /** Seconds that the broker proposes; 0 is none. Default 60. */
  readonly heartbeat?: number;
  /** Octets of messages above which publishers are blocked. Default 40 % of the machine's memory. */
  readonly memoryLimit?: number;
  /** Milliseconds that a delivery may stay unacknowledged; 0 is for ever. Default 30 minutes. */
  readonly consumerTimeout?: number;
  readonly maxConnections?: number;
  /** Per connection. Default 2047. */
  readonly maxChannels?: number;
  readonly limits?: Partial<Limits>;
  /** Time in queues stands still until `control.advance`. Default false. */
  readonly virtualClock?: boolean;
  /** The product named in the server properties. Default `Warren`. */
  readonly product?: string;
  /** Start although NODE_ENV is `production`. Default false. */
  readonly allowProduction?: boolean;
}

export interface Settings extends Required<
  Omit<BrokerOptions, 'data' | 'tls' | 'managementPort' | 'limits' | 'allowProduction'>
> {
  readonly data: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly managementPort: number | undefined;
  readonly limits: Limits;
}

const MINUTE = 60_000;

const DEFAULTS = {
  port: 5672,
  host: 'localhost',
  inProcess: false,
  compat: '3.x',
  users: { guest: 'guest' },
  virtualHosts: ['/'],
  heartbeat: 60,
  memoryLimit: Math.floor(0.4 * totalmem()),
  consumerTimeout: 30 * MINUTE,
  maxConnections: 10_000,
  maxChannels: 2047,
  virtualClock: false,
  product: 'Warren',
} as const satisfies BrokerOptions;

const OPTIONAL: readonly string[] = ['data', 'tls', 'managementPort', 'limits', 'allowProduction'] satisfies Array<
  keyof BrokerOptions
>;

/** Whole numbers from 0 up to this. */
const INTEGERS = {
  port: 65_535,
  managementPort: 65_535,
  heartbeat: 65_535,
  maxChannels: 65_535,
  memoryLimit: Number.MAX_SAFE_INTEGER,
  consumerTimeout: Number.MAX_SAFE_INTEGER,
  maxConnections: Number.MAX_SAFE_INTEGER,
} as const satisfies Partial<Record<keyof BrokerOptions, number>>;

const COUNT_LIMITS = { maxQueues: 100_000, maxExchanges: 100_000, maxBindings: 1_000_000 };

/** Checks the options and fills in the defaults. */
export function readOptions(options: BrokerOptions): Settings {
  if (process.env['NODE_ENV'] === 'production' && options.allowProduction !== true) throw new ProductionError();
  checkNames(options);
  const { data, tls, managementPort, limits, allowProduction: _asked, ...others } = options;
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)) as typeof others;
  const settings = { ...DEFAULTS, ...given };
  checkValues(settings);
  for (const [name, most] of Object.entries(INTEGERS)) checkInteger(name, options[name as keyof typeof INTEGERS], most);
  checkInteger('tls.port', tls?.port, INTEGERS.port);
  const { maxMessageSize } = BEHAVIOURS[settings.compat];
  return { ...settings, data, tls, managementPort, limits: { ...COUNT_LIMITS, maxMessageSize, ...limits } };
}

function checkNames(options: BrokerOptions): void {
  const unknown = Object.keys(options).find((name) => !(name in DEFAULTS) && !OPTIONAL.includes(name));
  if (unknown !== undefined) throw new BrokerError('ERR_BROKER_OPTION', `There is no broker option "${unknown}".`);
}

function checkValues({ compat, users, virtualHosts }: Pick<Settings, 'compat' | 'users' | 'virtualHosts'>): void {
  if (!Object.hasOwn(BEHAVIOURS, compat)) throw new BrokerOptionError('compat', "'3.x' or '4.x'", compat);
  if (Object.keys(users).length === 0) throw new BrokerOptionError('users', 'at least one name with its password', users);
  if (virtualHosts.length === 0) throw new BrokerOptionError('virtualHosts', 'at least one name', virtualHosts);
}

function checkInteger(name: string, value: number | undefined, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= most)) return;
  throw new BrokerOptionError(name, `a whole number from 0 to ${most}`, value);
}
