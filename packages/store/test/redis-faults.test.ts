import { type PrivateServer, startRedis, withRedis } from '@warren/store-servers';
import test from 'ava';
import { createClient } from 'redis';
import { type FaultyServer, serverFaults, silentLoss } from './_server-faults.js';

async function changePassword({ url }: PrivateServer): Promise<void> {
  const client = await createClient({ url }).connect();
  await client.configSet('requirepass', 'another');
  client.destroy();
}

const where = withRedis(test.serial);
const single: FaultyServer = { name: 'Redis', start: () => startRedis(), url: ({ url }) => url, changePassword };
serverFaults(where, single);
silentLoss(where, single);
serverFaults(where, {
  name: 'Redis cluster',
  start: () => startRedis({ cluster: true }),
  url: ({ url }) => `${url}?cluster`,
  changePassword,
});
