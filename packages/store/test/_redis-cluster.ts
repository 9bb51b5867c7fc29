import { setTimeout as sleep } from 'node:timers/promises';
import { type PrivateServer, startRedis } from '@warren/store-servers';
import { createClient } from 'redis';

type Client = ReturnType<typeof createClient>;

/** Two nodes of a cluster, each with half of the slots. */
export async function startCluster(): Promise<PrivateServer[]> {
  const servers = await Promise.all([startRedis({ cluster: true }), startRedis({ cluster: true })]);
  const clients = await Promise.all(servers.map(({ url }) => createClient({ url }).connect()));
  const [first, second] = clients as [Client, Client];
  await first.sendCommand(['CLUSTER', 'DELSLOTSRANGE', '8192', '16383']);
  await second.sendCommand(['CLUSTER', 'DELSLOTSRANGE', '0', '8191']);
  const { 'cluster-port': bus = '' } = await second.configGet('cluster-port');
  await first.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(servers[1]?.port), bus]);
  for (const client of clients) {
    while (!(await client.clusterInfo()).includes('cluster_state:ok') || (await client.clusterSlots()).length < 2)
      await sleep(20);
    client.destroy();
  }
  return servers;
}
