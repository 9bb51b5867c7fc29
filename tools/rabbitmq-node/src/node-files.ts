import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { freePort } from './ports.js';

export interface RabbitOptions {
  /** AMQP port on 127.0.0.1; a free one by default. */
  readonly port?: number;
  /** Enables the management plugin, on a free port: see `managementUrl`. Costs about a second of start. Default false. */
  readonly management?: boolean;
  /** Broker plugins to enable, out of those that are installed with RabbitMQ. */
  readonly plugins?: readonly string[];
  /** More lines of rabbitmq.conf; they win over ours (`collect_statistics_interval = 500`). */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Node name before `@localhost`, default `rabbit`. Nodes of the same name do not meet: each has its own epmd. */
  readonly name?: string;
  /**
   * Where the node keeps its files, for one node at a time: made when missing, kept in the end. By default a temporary folder,
   * removed in the end. A node that nobody stops is killed with its process, which its files survive as they survive a crash.
   */
  readonly directory?: string;
}

/**
 * What a quorum queue could not hand on, because the next one was not up yet after a restart, is tried again after 5 s instead of 180, as
 * docs/delays.md advises. And rabbitmqctl shows its counts of half a second ago, instead of up to five.
 */
const ADVANCED_CONFIG = '[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}, {quorum_tick_interval, 500}]}].\n';

/** Everything about a node that stays when its process is stopped and started again. */
export interface NodeFiles {
  /** The folder of RabbitMQ's own scripts. */
  readonly scripts: string;
  readonly node: string;
  readonly port: number;
  readonly managementPort: number | undefined;
  readonly directory: string;
  readonly temporary: boolean;
  /** The whole environment of the node and of rabbitmqctl. */
  readonly env: Readonly<Record<string, string>>;
  /** What the node prints. */
  readonly output: string;
  /** Written by the node itself: the process id of beam. */
  readonly pidFile: string;
}

export async function prepareFiles(scripts: string, options: RabbitOptions): Promise<NodeFiles> {
  const directory = options.directory ? resolve(options.directory) : await mkdtemp(join(tmpdir(), 'rabbitmq-node-'));
  const node = `${options.name ?? 'rabbit'}@localhost`;
  const port = options.port ?? (await freePort());
  const managementPort = options.management ? await freePort() : undefined;
  await mkdir(join(directory, 'home'), { recursive: true });
  await writeCookie(join(directory, 'home', '.erlang.cookie'));
  await writeFile(join(directory, 'rabbitmq.conf'), configuration(managementPort, options.config));
  await writeFile(join(directory, 'advanced.config'), ADVANCED_CONFIG);
  const plugins = [...(options.management ? ['rabbitmq_management'] : []), ...(options.plugins ?? [])];
  await writeFile(join(directory, 'enabled_plugins'), `[${plugins.join(', ')}].\n`);
  const env = { ...paths(directory), ...(await network(port)), RABBITMQ_NODENAME: node };
  const pidFile = env.RABBITMQ_PID_FILE;
  return {
    scripts,
    node,
    port,
    managementPort,
    directory,
    temporary: !options.directory,
    env,
    output: join(directory, 'output'),
    pidFile,
  };
}

async function writeCookie(path: string): Promise<void> {
  if (!existsSync(path)) await writeFile(path, randomBytes(20).toString('hex'), { mode: 0o400 });
}

function configuration(managementPort: number | undefined, more: RabbitOptions['config']): string {
  const lines = {
    collect_statistics_interval: 500,
    ...(managementPort && { 'management.tcp.ip': '127.0.0.1', 'management.tcp.port': managementPort }),
    ...more,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

// RABBITMQ_CONF_ENV_FILE keeps the settings of the machine's own RabbitMQ out.
function paths(directory: string) {
  return {
    PATH: [process.env['PATH'], '/usr/bin', '/bin'].filter(Boolean).join(delimiter),
    HOME: join(directory, 'home'),
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_PID_FILE: join(directory, 'pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(directory, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    ERL_CRASH_DUMP: join(directory, 'erl_crash.dump'),
  };
}

// Everything listens on 127.0.0.1. `-start_epmd false`: our epmd is started, and ended, with the node; a late rabbitmqctl would
// leave another one behind. Port 0 lets any number of rabbitmqctl run at once; by default they share ten ports.
async function network(port: number) {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}';
  return {
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopback,
    RABBITMQ_CTL_ERL_ARGS: loopback,
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    ERL_FLAGS: '-start_epmd false',
    ERL_EPMD_PORT: String(await freePort()),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}
