import { durableHello, receiver, send } from './hello-world.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [command = 'send', text] = process.argv.slice(2);

if (command === 'send') {
  await send(url, text);
} else {
  const worker = receiver(url, console.log, command === 'redeclare' ? durableHello : undefined);
  process.once('SIGINT', () => void worker.stop());
  await worker.start();
  console.log('Waiting for messages. Ctrl-C ends.');
}
