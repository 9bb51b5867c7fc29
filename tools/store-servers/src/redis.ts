import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from '@warren/rabbitmq-node';
import { prepareDirectory, type ServerOptions } from './directory.js';
import { redisNotInstalled } from './errors.js';
import { findRedis } from './installation.js';
import { type PrivateServer, startServer } from './server.js';

export interface RedisOptions extends ServerOptions {
  /** One node of a cluster, with all 16384 slots: keys of different slots in one command are an error. Redis 7 or later. Default false. */
  readonly cluster?: boolean;
}

/**
 * Starts a Redis and resolves when it takes commands; rejects with `ERR_REDIS_NOT_INSTALLED` or `ERR_SERVER_START`. Takes 0.1 s.
 * It writes each change to its append-only file before it answers, so that `kill` loses nothing.
 */
export async function startRedis(options: RedisOptions = {}): Promise<PrivateServer> {
  const command = findRedis();
  if (!command) throw redisNotInstalled();
  const { directory, temporary } = await prepareDirectory('redis', options);
  const port = await freePort();
  const args = [`--port ${port} --bind 127.0.0.1 --save`, '', '--appendonly yes --appendfsync no --dir', directory];
  if (options.cluster) args.push(`--cluster-enabled yes --cluster-port ${await freePort()} --cluster-config-file nodes.conf`);
  return startServer({
    name: 'Redis',
    url: `redis://127.0.0.1:${port}`,
    port,
    directory,
    temporary,
    command,
    args: args.flatMap((part) => (part.startsWith('--') ? part.split(' ') : [part])),
    stopSignal: 'SIGTERM',
    lastSignal: 'KILL',
    ready: () => (options.cluster ? clusterReady(port) : answers(port, 'PING', '+PONG')),
  });
}

/** The slots are given at the first start and are in nodes.conf later. */
async function clusterReady(port: number): Promise<boolean> {
  if (await answers(port, 'CLUSTER INFO', 'cluster_slots_assigned:0'))
    await answers(port, 'CLUSTER ADDSLOTSRANGE 0 16383', '+OK');
  return answers(port, 'CLUSTER INFO', 'cluster_state:ok');
}

/** Whether what the server answers to a command has `expected` in it; it is short enough to come at once. */
async function answers(port: number, command: string, expected: string): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [answer]: unknown[] = await once(socket, 'data');
    return String(answer).includes(expected);
  } catch {
    return false; // not listening yet
  } finally {
    socket.destroy();
  }
}
