import { newTask, work } from './work-queues.js';

const url = process.env['AMQP_URL'] ?? 'amqp://localhost';
const [command = 'worker', ...rest] = process.argv.slice(2);

if (command === 'new_task') {
  await newTask(url, rest.join(' ') || 'Hello World!');
} else {
  const [prefetch = '1', second = '1000'] = rest;
  const worker = work({ url, print: console.log, prefetch: Number(prefetch), second: Number(second) });
  // Ctrl-C: a task that does not finish within a second goes back to the queue.
  process.once('SIGINT', () => void worker.stop({ deadline: 1_000 }));
  await worker.start();
  console.log('Waiting for tasks. Ctrl-C ends.');
}
