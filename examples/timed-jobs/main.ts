import { orderTimeouts, placeOrder } from './timed-jobs.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [order, timeout] = process.argv.slice(2);

const worker = orderTimeouts({ url, cancel: (id) => console.log(`${new Date().toISOString()} ${id} is cancelled.`) });
process.once('SIGINT', () => void worker.stop());
await worker.start();
if (order) {
  await placeOrder(worker, order, timeout);
  console.log(`${new Date().toISOString()} ${order} is placed.`);
}
