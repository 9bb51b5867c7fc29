import { setTimeout as sleep } from 'node:timers/promises';
import { type PrivateServer, withRedis } from '@warren/store-servers';
import anyTest, { type ExecutionContext } from 'ava';
import { createClient } from 'redis';
import { createStore, type Store } from '../src/index.js';
import { listed } from './_keys.js';
import { startCluster } from './_redis-cluster.js';

const test = withRedis(anyTest.serial);

type Client = ReturnType<typeof createClient>;

interface Cluster {
  readonly nodes: readonly [PrivateServer, PrivateServer];
  readonly store: Store;
  /** Keys of which each node has some. */
  readonly keys: readonly string[];
}

async function cluster(t: ExecutionContext): Promise<Cluster> {
  const nodes = (await startCluster()) as [PrivateServer, PrivateServer];
  for (const node of nodes) t.teardown(() => node[Symbol.asyncDispose]());
  const [first, second] = nodes;
  const store = createStore(`${second.url}?cluster=127.0.0.1:${first.port}`, { timeout: 2_000 });
  t.teardown(() => store.close());
  const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);
  await Promise.all(keys.map((key) => store.putIfAbsent(key, 'value')));
  return { nodes, store, keys };
}

test('While one node is down the keys of the others are there, and its own are again when it is back.', async (t) => {
  const { nodes, store, keys } = await cluster(t);
  const read = () => Promise.all(keys.map((key) => store.get(key).then((found) => found?.value, codeOf)));
  await nodes[1].kill();
  const found = await read();
  t.deepEqual(new Set(found), new Set(['value', 'ERR_STORE_UNAVAILABLE']));
  await t.throwsAsync(listed(store, ''), { code: 'ERR_STORE_UNAVAILABLE' });
  await nodes[1].start();
  while ((await read()).some((value) => value !== 'value')) await sleep(50); // waits until AVA's timeout otherwise
  t.is((await listed(store, '')).length, keys.length);
});

test('A slot that has moved is found where it is now.', async (t) => {
  const { nodes, store } = await cluster(t);
  const clients = await Promise.all(nodes.map(({ url }) => createClient({ url }).connect()));
  const slot = (await clients[0]?.clusterKeySlot('warren:moved')) ?? NaN;
  const [from, to] = (slot < 8_192 ? clients : clients.toReversed()) as [Client, Client];
  const target = await to.sendCommand<string>(['CLUSTER', 'MYID']);
  for (const client of [to, from]) await client.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'NODE', target]);
  t.not(await store.putIfAbsent('moved', 'value'), undefined);
  t.is((await store.get('moved'))?.value, 'value');
  t.is((await listed(store, 'moved')).length, 1);
  t.is(await to.exists('warren:moved'), 1);
  for (const client of clients) client.destroy();
});

test('A cluster is found by any of the nodes that are named.', async (t) => {
  const { nodes } = await cluster(t);
  const [first, second] = nodes;
  const store = createStore(`redis://127.0.0.1:1?cluster=127.0.0.1:2,127.0.0.1:${first.port},127.0.0.1:${second.port}`);
  t.teardown(() => store.close());
  t.is((await store.get('key 1'))?.value, 'value');
});

test('A password is given to every node, with a user and without.', async (t) => {
  const { nodes } = await cluster(t);
  for (const { url } of nodes) {
    const client = await createClient({ url }).connect();
    await client.aclSetUser('worker', ['on', '>w%rd', '~*', '+@all']);
    await client.configSet('requirepass', 'p@ss');
    client.destroy();
  }
  for (const login of ['worker:w%25rd', ':p%40ss', 'default:p%40ss']) {
    const store = createStore(`redis://${login}@127.0.0.1:${nodes[0].port}?cluster`);
    t.teardown(() => store.close());
    t.is((await listed(store, 'key')).length, 20);
  }
});

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}
