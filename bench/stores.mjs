// What a store does: node bench/stores.mjs [--seconds 3] [--rounds 3]
//
// A change is one step in the life of an idempotency key: claimed, renewed, done, deleted. One caller after another shows the latency, a hundred
// at a time what gathering them brings. All in one process, the servers private and on this machine: Redis without persistence, PostgreSQL with
// fsync, as a production server has it. Medians of the rounds.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createStore } from '@warren/store';
import { startPostgres, startRedis } from '@warren/store-servers';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '3' } },
});
const [SECONDS, ROUNDS] = [Number(values.seconds), Number(values.rounds)];
const TTL = 60_000;
let keys = 0;

async function live(store) {
  const key = `bench/${process.pid}/${keys++}`;
  let version = await store.putIfAbsent(key, '{"state":"running"}', { ttl: TTL });
  version = await store.replaceIfVersion(key, version, { value: '{"state":"running"}', ttl: TTL });
  version = await store.replaceIfVersion(key, version, { value: '{"state":"done"}', ttl: TTL });
  await store.deleteIfVersion(key, version);
}

/** How often a second `run` is done, by so many callers. */
async function perSecond(callers, run) {
  const start = performance.now();
  let count = 0;
  const call = async () => {
    for (; performance.now() - start < SECONDS * 1e3; count++) await run();
  };
  await Promise.all(Array.from({ length: callers }, call));
  return count / ((performance.now() - start) / 1e3);
}

async function median(measure) {
  const results = [];
  for (let round = 0; round < ROUNDS; round++) results.push(await measure());
  return Math.round(results.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]);
}

async function measure(name, url) {
  const store = createStore(url, { timeout: '30s' });
  await store.putIfAbsent('bench/read', '{"state":"done"}', { ttl: 10 * TTL });
  const row = {
    store: name,
    'changes/s, one caller': 4 * (await median(() => perSecond(1, () => live(store)))),
    'changes/s, 100 callers': 4 * (await median(() => perSecond(100, () => live(store)))),
    'gets/s, one caller': await median(() => perSecond(1, () => store.get('bench/read'))),
  };
  await store.close();
  return row;
}

const folder = await mkdtemp(join(tmpdir(), 'warren-bench-'));
const redis = await startRedis();
const postgres = await startPostgres({ fsync: true });
const stores = { memory: 'memory:', LMDB: `lmdb:${folder}`, Redis: redis.url, PostgreSQL: postgres.url };
try {
  const rows = [];
  for (const [name, url] of Object.entries(stores)) rows.push(await measure(name, url));
  console.table(rows);
} finally {
  await Promise.all([redis.stop(), postgres.stop(), rm(folder, { recursive: true })]);
}
