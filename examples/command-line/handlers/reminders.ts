import type { Worker } from '@warren/core';
import { reminder } from '../jobs.js';

/** … or a function that registers them. */
export default function register(worker: Worker): void {
  worker.handle(reminder, ({ payload: { to } }) => console.log(`A reminder to ${to}.`));
}
