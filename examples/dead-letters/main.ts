import { deadLetterConsumer, waiting } from './dead-letters.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [text = 'Hello, later!', expiration = '10000'] = process.argv.slice(2);

const worker = deadLetterConsumer(url, ({ text, reason }) => {
  console.log(`${new Date().toISOString()} ${text} (${reason})`);
  void worker.stop();
});
await worker.start();
await worker.publish(waiting(), text, { expiration: Number(expiration) });
console.log(`${new Date().toISOString()} sent`);
