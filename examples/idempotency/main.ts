import { Client } from 'pg';
import { createClient } from 'redis';
import { chargeInPostgres, chargeInRedis, LEDGER, sendCharge } from './idempotency.js';

const { AMQP_URL: url = 'amqp://localhost', WARREN_STORE: store = 'redis://localhost' } = process.env;
const [command = 'worker', id = 'charge-1', times = '100'] = process.argv.slice(2);
const options = { url, store, print: console.log };

if (command === 'charge') await sendCharge(url, { id, times: Number(times) });
else if (store.startsWith('postgres')) await workWithPostgres();
else await workWithRedis();

async function workWithPostgres(): Promise<void> {
  const client = new Client(store);
  await client.connect();
  await client.query(LEDGER);
  await client.end();
  const worker = chargeInPostgres(options);
  process.once('SIGINT', () => void worker.stop());
  await worker.start();
  console.log('Waiting for charges. Ctrl-C ends.');
}

async function workWithRedis(): Promise<void> {
  const redis = await createClient({ url: store }).connect();
  const worker = chargeInRedis(options, redis);
  process.once('SIGINT', () => void worker.stop().then(() => redis.close()));
  await worker.start();
  console.log('Waiting for charges. Ctrl-C ends.');
}
