// The same without the command line: plugins and handlers from code.
import { createWorker } from '@warren/core';
import delay from '@warren/plugin-delay';
import rateLimit from '@warren/plugin-ratelimit';
import letters from './handlers/letters.js';
import registerReminders from './handlers/reminders.js';
import { letter, reminder } from './jobs.js';

const worker = createWorker({ url: process.env['AMQP_URL'] ?? 'amqp://localhost', plugins: [delay(), rateLimit()] });
for (const { job, handler, options } of letters) worker.handle(job, handler, options);
registerReminders(worker);
process.once('SIGTERM', () => void worker.stop());
process.once('SIGINT', () => void worker.stop());
await worker.start();
await worker.publish(letter, { to: 'Ann' });
await worker.publish(reminder, { to: 'Ben' }, { delay: '300ms' });
