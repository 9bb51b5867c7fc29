import type { Worker } from '@warren/core';
import { greeting } from '../jobs.js';

export default (worker: Worker): void => {
  worker.handle(greeting, (job) => {
    process.stdout.write(`         Hello, ${job.payload.name}!\n`);
  });
};
