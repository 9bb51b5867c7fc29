import { handler } from '@warren/core';
import type { HandlerDefinition } from '@warren/core';
// For the types of its options; `--plugins ratelimit` loads it.
import type { RateLimit } from '@warren/plugin-ratelimit';
import { letter } from '../jobs.js';
import type { Letter } from '../jobs.js';

const rateLimit: RateLimit = '100/s';

/** A module exports its handlers as a list … */
const handlers: HandlerDefinition<Letter>[] = [
  handler(letter, ({ payload: { to } }) => console.log(`A letter to ${to}.`), { rateLimit }),
];
export default handlers;
