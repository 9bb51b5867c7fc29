import { setTimeout as sleep } from 'node:timers/promises';
import anyTest from 'ava';
import type { ExecutionContext } from 'ava';
import { Client } from 'pg';
import { createClient } from 'redis';
import { startPostgres, startRedis, withPostgres, withRedis } from '@warren/store-servers';
import { freshBroker } from '@warren/test-broker';
import { runMain } from '../_program.js';
import { sendCharge } from './idempotency.js';

/** Sends one charge a hundred times to two processes, and waits until all of it is done. What the two have printed. */
async function chargedBy(t: ExecutionContext, store: string): Promise<string[]> {
  const broker = await freshBroker(t);
  const env = { AMQP_URL: broker.url, WARREN_STORE: store };
  const workers = [1, 2].map(() => runMain(t, 'idempotency', { args: ['worker'], env }));
  await Promise.all(workers.map(({ lines }) => lines.first(1)));
  await sendCharge(broker.url, { id: 'charge-1', times: 100 });
  // RabbitMQ counts a quorum queue's messages from time to time only: once is not sure.
  for (let empty = 0; empty < 4; await sleep(400)) {
    const { ready, unacked } = await broker.counts('charges');
    empty = ready + unacked === 0 ? empty + 1 : 0;
  }
  await Promise.all(workers.map((worker) => worker.stop()));
  return workers.flatMap(({ lines }) => lines.all).filter((line) => line.startsWith('Charged'));
}

withPostgres(anyTest)(
  'by a database primary key a charge that is delivered 100 times to two processes is made once',
  async (t) => {
    await using server = await startPostgres();
    t.deepEqual(await chargedBy(t, server.url), ['Charged 5 to alice']);
    const client = new Client(server.url);
    await client.connect();
    const { rows } = await client.query('SELECT account, cents FROM ledger');
    await client.end();
    t.deepEqual(rows, [{ account: 'alice', cents: '5' }]);
  },
);

withRedis(anyTest)(
  'by an atomic operation of Redis a charge that is delivered 100 times to two processes is made once',
  async (t) => {
    await using server = await startRedis();
    t.deepEqual(await chargedBy(t, server.url), ['Charged 5 to alice']);
    const redis = await createClient({ url: server.url }).connect();
    t.is(await redis.get('balance:alice'), '5');
    redis.destroy();
  },
);
