import { StoreUrlError } from './errors.js';
import { importClient } from './import-client.js';
import { GuardedStore } from './guarded-store.js';
import { connectRedis } from './redis-connection.js';
import { RedisStore } from './redis-store.js';
import { badOption, parseServerUrl, PATIENCE, type ServerUrl } from './server-url.js';
import type { Store } from './store.js';

const DEFAULT_PREFIX = 'warren:';
const HOST = /^[^\s,/@?#]+:\d+$/;
const DATABASE = /^(\/\d*)?$/;

/**
 * `redis://user:password@host:6379/0`, or `rediss://…` for TLS: Redis 6 or later. Options, after `?`: `prefix` of all keys, default
 * `warren:`; `cluster` where the host is a node of a cluster, optionally with more of them to ask for its topology, as `cluster=host:port,host:port`. Throws
 * `ERR_STORE_URL`.
 */
export function redisStore(text: string, { timeout }: { readonly timeout: number }): Store {
  const server = parseServerUrl(text, ['prefix', 'cluster']);
  const { url, name, options } = server;
  const [unknown] = url.searchParams.keys();
  if (unknown) throw badOption(server, unknown, 'prefix or cluster');
  if (!DATABASE.test(url.pathname))
    throw new StoreUrlError({ got: `${name} (expected the number of a database after the host)` });
  const prefix = options['prefix'] ?? DEFAULT_PREFIX;
  const patience = timeout + PATIENCE;
  const address = { url, cluster: clusterNodes(server), patience };
  const open = async () => {
    const redis = await importClient(() => import('redis'), { client: 'redis', url: name });
    return new RedisStore(await connectRedis(redis, address), { name, prefix, patience });
  };
  return new GuardedStore({ name, timeout, open });
}

function clusterNodes(server: ServerUrl): string[] | undefined {
  const nodes = server.options['cluster']?.split(',').filter(Boolean);
  if (nodes?.some((node) => !HOST.test(node))) throw badOption(server, 'cluster', 'nothing, or host:port,host:port');
  return nodes;
}
