import { handler } from '@warren/core';
import type { HandlerDefinition } from '@warren/core';
import type {} from '@warren/plugin-ratelimit';
import { letter } from '../jobs.js';

let last = 0;

const send: HandlerDefinition<{ number: number }> = handler(
  letter,
  (job) => {
    const now = Date.now();
    const since = last ? `${now - last} ms after the one before` : 'the first';
    last = now;
    process.stdout.write(`         Letter ${job.payload.number}, ${since}\n`);
  },
  { rateLimit: { max: 2, per: 1_000 } },
);

export default send;
