import { listener } from './exchange-types.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [exchange = 'events', routingKey = 'order.paid', headers = '{}'] = process.argv.slice(2);

const worker = listener(url, ({ queue }) => console.log(`It reached the queue "${queue}".`));
process.once('SIGINT', () => void worker.stop());
await worker.start();
const properties = { headers: JSON.parse(headers) as Record<string, unknown> };
await worker.send({ exchange, routingKey, content: 'a message', properties });
console.log('Sent. Ctrl-C ends.');
