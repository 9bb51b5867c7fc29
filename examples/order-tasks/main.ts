import spool from '@warren/plugin-spool';
import { orderConsumer, startProducer } from './order-tasks.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [command = 'consumer', port = '3000'] = process.argv.slice(2);

if (command === 'producer') {
  const producer = await startProducer({ url, port: Number(port), plugins: [spool()] });
  process.once('SIGINT', () => void producer[Symbol.asyncDispose]());
  console.log(`http://127.0.0.1:${producer.port}/producer publishes five messages.`);
} else {
  const worker = orderConsumer({ url, onOrder: ({ payload }) => console.log(payload) });
  worker.on('connected', ({ reconnected }) => console.log(reconnected ? 'Connected again.' : 'Connected.'));
  worker.on('reconnecting', ({ attempt, delay }) => console.log(`Attempt ${attempt} to connect again in ${delay} ms`));
  worker.on('alarm', ({ attempts }) => console.error(`The broker is still away after ${attempts} attempts.`));
  process.once('SIGINT', () => void worker.stop({ deadline: 10_000 }));
  await worker.start();
}
