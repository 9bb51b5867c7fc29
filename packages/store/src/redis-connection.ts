import type * as redisPackage from 'redis';
import { type ScriptedClient, redisScripts } from './redis-scripts.js';

type Redis = typeof redisPackage;

/** What a client of `redis` is, as far as we need it: there it has another type for each set of scripts. */
export interface RedisNode {
  connect(): Promise<unknown>;
  /** Ends the connection, and rejects what waits for an answer. */
  destroy(): void;
  scanIterator(options: { MATCH: string; COUNT: number }): AsyncIterable<string[]>;
}

interface RedisCluster {
  readonly masters: readonly object[];
  connect(): Promise<unknown>;
  destroy(): void;
  nodeClient(node: object): Promise<RedisNode>;
  getNodeClientForKey(key: string): Promise<RedisNode>;
}

export interface RedisAddress {
  readonly url: URL;
  /** The url is that of a cluster's node; `host:port` of others to ask for its topology. */
  readonly cluster?: readonly string[] | undefined;
  /** Milliseconds that connecting, and an answer, may take. */
  readonly patience: number;
}

const LONGEST_PAUSE = 1_000;

/** Rejects if the first attempt fails. Later the client repairs each connection by itself. */
export async function connectRedis(redis: Redis, address: RedisAddress): Promise<RedisConnection> {
  const connection = address.cluster ? new ClusterConnection(redis, address) : new SingleConnection(redis, address);
  await connection.open();
  return connection;
}

/** The clients of a Redis, or of all nodes of a cluster. */
export abstract class RedisConnection {
  readonly #redis: Redis;
  #lastError: unknown;
  #opened = false;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  abstract readonly scripts: ScriptedClient;
  /** The client of the node that holds a key. */
  abstract nodeOf(key: string): Promise<RedisNode>;
  abstract masters(): Promise<RedisNode[]>;
  abstract destroy(): void;
  protected abstract connect(): Promise<unknown>;

  async open(): Promise<void> {
    try {
      await this.connect();
      this.#opened = true;
    } catch (error) {
      this.destroy();
      throw this.reason(error);
    }
  }

  /** Says what is wrong, where the client says no more than that it is offline. */
  reason(error: unknown): unknown {
    const { ClientOfflineError, RootNodesUnavailableError } = this.#redis;
    const vague = error instanceof ClientOfflineError || error instanceof RootNodesUnavailableError;
    return (vague && this.#lastError) || error;
  }

  /** For a connection that has not answered in time, whose other end may be gone without a word. */
  restart(node: RedisNode, why: Error): void {
    this.#lastError = why;
    node.destroy();
    node.connect().catch(() => {}); // it tries again until it is destroyed
  }

  protected readonly onError = (error: unknown): void => {
    this.#lastError = error;
  };

  /** Milliseconds until the next attempt; the first connection is attempted once. */
  protected readonly pause = (retries: number): number | false =>
    this.#opened && Math.min(20 * 2 ** retries, LONGEST_PAUSE) * (1 + Math.random());
}

/**
 * While a client is offline its commands are refused, not kept. A socket on which nothing happens is closed, which ends a handshake
 * that nobody answers; pings keep the others.
 */
function clientOptions(patience: number, pause: (retries: number) => number | false) {
  return {
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    pingInterval: patience,
    socket: { connectTimeout: patience, socketTimeout: 2 * patience, reconnectStrategy: pause },
  } as const;
}

class SingleConnection extends RedisConnection {
  readonly scripts: ScriptedClient;
  readonly #client: RedisNode;

  constructor(redis: Redis, { url, patience }: RedisAddress) {
    super(redis);
    const client = redis.createClient({ url: url.href, scripts: redisScripts(redis), ...clientOptions(patience, this.pause) });
    client.on('error', this.onError);
    this.#client = client;
    this.scripts = client as unknown as ScriptedClient;
  }

  async nodeOf(): Promise<RedisNode> {
    return this.#client;
  }

  async masters(): Promise<RedisNode[]> {
    return [this.#client];
  }

  destroy(): void {
    this.#client.destroy();
  }

  protected connect(): Promise<unknown> {
    return this.#client.connect();
  }
}

class ClusterConnection extends RedisConnection {
  readonly scripts: ScriptedClient;
  readonly #cluster: RedisCluster;

  constructor(redis: Redis, { url, cluster: more = [], patience }: RedisAddress) {
    super(redis);
    const { socket, ...options } = clientOptions(patience, this.pause);
    const login = {
      ...(url.username && { username: decodeURIComponent(url.username) }),
      ...(url.password && { password: decodeURIComponent(url.password) }),
    };
    const defaults = { ...options, ...login, socket: { ...socket, tls: url.protocol === 'rediss:' } };
    const rootNodes = [url.host, ...more].map((host) => ({ url: Object.assign(new URL(url), { host }).href }));
    const cluster = redis.createCluster({
      rootNodes,
      defaults,
      scripts: redisScripts(redis),
      topologyRefreshOnReconnectionAttemptStrategy: LONGEST_PAUSE,
    });
    cluster.on('error', this.onError).on('node-error', this.onError);
    this.#cluster = cluster;
    this.scripts = cluster as unknown as ScriptedClient;
  }

  nodeOf(key: string): Promise<RedisNode> {
    return this.#cluster.getNodeClientForKey(key);
  }

  masters(): Promise<RedisNode[]> {
    return Promise.all(this.#cluster.masters.map((master) => this.#cluster.nodeClient(master)));
  }

  destroy(): void {
    this.#cluster.destroy();
  }

  protected connect(): Promise<unknown> {
    return this.#cluster.connect();
  }
}
