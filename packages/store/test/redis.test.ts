import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type PrivateServer, startRedis, withRedis } from '@warren/store-servers';
import anyTest, { type ExecutionContext } from 'ava';
import * as redisPackage from 'redis';
import { createClient } from 'redis';
import { createStore, type Store } from '../src/index.js';
import { connectRedis } from '../src/redis-connection.js';
import { RedisStore } from '../src/redis-store.js';
import { claimsOfProcesses } from './_claims.js';
import { conformance } from './_conformance.js';
import { listed, ownPrefix } from './_keys.js';
import { answer } from './_patience.js';
import { startCluster } from './_redis-cluster.js';

const test = withRedis(anyTest.serial);

// One server, and one cluster, for all tests of this file, which end with it: each test has keys of its own.
let server: Promise<PrivateServer> | undefined;
let cluster: Promise<PrivateServer[]> | undefined;
function opened(t: ExecutionContext, url: string): Store {
  const store = createStore(url, { timeout: 20_000 });
  t.teardown(() => store.close());
  return store;
}

async function redisUrl(): Promise<string> {
  server ??= startRedis();
  return (await server).url;
}

async function clusterUrl(): Promise<string> {
  cluster ??= startCluster();
  const [node] = await cluster;
  return `${node?.url}?cluster`;
}

conformance('Redis', async (t) => opened(t, await redisUrl()), { test });
conformance('Redis cluster', async (t) => opened(t, await clusterUrl()), { test });

test('Of two processes that claim a key at once one gets it.', async (t) => {
  await claimsOfProcesses(t, await redisUrl());
  await claimsOfProcesses(t, await clusterUrl());
});

/** An address behind which the server can change: connections that are open stay where they are. */
async function movableAddress(t: ExecutionContext, first: number) {
  let target = first;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      socket
        .on('error', () => {})
        .once('close', () => peer.destroy())
        .pipe(peer);
  });
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, move: (port: number): void => void (target = port) };
}

async function client(t: ExecutionContext) {
  const connected = createClient({ url: await redisUrl() });
  t.teardown(() => connected.destroy());
  await connected.connect();
  return connected;
}

test('Keys are under a prefix, and those of others are left alone.', async (t) => {
  const [url, key] = [await redisUrl(), ownPrefix()];
  const redis = await client(t);
  const [usual, own] = [opened(t, url), opened(t, `${url}?prefix=own*:`)];
  await usual.putIfAbsent(key, 'usual');
  await own.putIfAbsent(key, 'own');
  await redis.set(`ownx:${key}`, 'not ours');
  t.regex((await redis.get(`warren:${key}`)) ?? '', /^\d{16} usual$/);
  t.deepEqual(
    (await listed(own, '')).map(({ key, value }) => [key, value]),
    [[key, 'own']],
  );
});

test('A list takes one step for each page of keys that are not its own.', async (t) => {
  const redis = await client(t);
  const others = Array.from({ length: 1_000 }, (_, index) => [`other ${index}`, ''] as const);
  await redis.mSet(Object.fromEntries(others));
  const connection = await connectRedis(redisPackage, { url: new URL(await redisUrl()), patience: 20_000 });
  t.teardown(() => connection.destroy());
  const store = new RedisStore(connection, { name: 'redis:', prefix: ownPrefix(), patience: 20_000 });
  const steps: unknown[] = [];
  for await (const step of store.list('')) steps.push(step);
  t.true(steps.length >= 5, `${steps.length}`);
  t.deepEqual([...new Set(steps)], [undefined]);
  await redis.del(others.map(([key]) => key));
});

test('A key that somebody else has written is an error that names it.', async (t) => {
  const key = ownPrefix();
  const redis = await client(t);
  const store = opened(t, `${await redisUrl()}?prefix=shared:`);
  await redis.set(`shared:${key}`, 'not ours');
  await t.throwsAsync(store.get(key), { code: 'ERR_STORE_UNAVAILABLE', message: new RegExp(`prefix.*${key}`) });
  t.is(await store.replaceIfVersion(key, 1, { value: 'ours' }), undefined);
  t.false(await store.deleteIfVersion(key, 1));
});

test('Versions grow and ages are not negative where the clock of the server goes back.', async (t) => {
  const key = ownPrefix();
  const redis = await client(t);
  const store = opened(t, await redisUrl());
  const future = (Date.now() + 3_600_000) * 1_000;
  await redis.set(`warren:${key}`, `${future} value`);
  t.deepEqual(await store.get(key), { value: 'value', version: future, age: 0 });
  t.is(await store.replaceIfVersion(key, future, { value: 'next' }), future + 1);
});

test('Scripts that the server has forgotten are sent again.', async (t) => {
  const key = ownPrefix();
  const redis = await client(t);
  const store = opened(t, await redisUrl());
  await store.putIfAbsent(key, 'value');
  await redis.scriptFlush();
  t.is((await store.get(key))?.value, 'value');
});

test('After a failover the server that has the address now is asked.', async (t) => {
  await using former = await startRedis();
  await using next = await startRedis();
  const address = await movableAddress(t, former.port);
  const store = opened(t, `redis://127.0.0.1:${address.port}`);
  await store.putIfAbsent('before', 'value');
  address.move(next.port);
  const redis = await createClient({ url: former.url }).connect();
  await redis.sendCommand(['REPLICAOF', '127.0.0.1', String(next.port)]);
  redis.destroy();
  await t.throwsAsync(store.putIfAbsent('after', 'value'), { code: 'ERR_STORE_UNAVAILABLE', message: /READONLY/ });
  await answer(() => store.putIfAbsent('after', 'value'));
  t.is((await store.get('after'))?.value, 'value');
  await store.close();
});

test('A database is chosen by the path.', async (t) => {
  const [url, key] = [await redisUrl(), ownPrefix()];
  await opened(t, `${url}/1`).putIfAbsent(key, 'value');
  t.is(await opened(t, url).get(key), undefined);
  t.is((await opened(t, `${url}/1`).get(key))?.value, 'value');
});

for (const [url, message] of [
  ['redis://host:port', /got redis:\/\/host:port/],
  ['redis://:se-cret@host/?prefx=x', /prefx=x with prefx \(expected prefix or cluster\)/],
  ['redis://:se-cret@host?cluster=other', /cluster=other \(expected nothing, or host:port/],
] as const) {
  anyTest(`${url} is refused at once.`, (t) => {
    const error = t.throws(() => createStore(url), { code: 'ERR_STORE_URL', message });
    t.notRegex(String(error?.stack), /se-cret/);
  });
}
