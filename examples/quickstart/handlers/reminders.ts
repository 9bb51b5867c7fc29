import { handler } from '@warren/core';
import type { HandlerDefinition } from '@warren/core';
import type {} from '@warren/plugin-delay';
import { reminder } from '../jobs.js';

const remind: HandlerDefinition<{ about: string; asked: number; dueAt: number }> = handler(reminder, (job) => {
  const { about, asked, dueAt } = job.payload;
  process.stdout.write(`         Reminder: ${about}. Asked for in ${asked} ms, arrived after ${asked + Date.now() - dueAt} ms\n`);
});

export default remind;
