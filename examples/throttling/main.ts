import { setTimeout as sleep } from 'node:timers/promises';
import { qos, throttled } from './throttling.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [prefetch = '1', max] = process.argv.slice(2);

const worker = throttled({
  url,
  limits: { prefetch: Number(prefetch), ...(max !== undefined && { max: Number(max) }) },
  consume: async (text) => {
    console.log(`${new Date().toISOString()} ${text}`);
    await sleep(1_000);
  },
});
process.once('SIGINT', () => void worker.stop());
await worker.start();
for (let number = 1; number <= 5; number++) await worker.publish(qos, `message ${number}`);
