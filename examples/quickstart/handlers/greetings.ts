// A handler module that gets the worker.
import { LOGGER } from '@warren/core';
import type { Worker } from '@warren/core';
import { greeting } from '../jobs.js';

export default (worker: Worker): void => {
  const log = worker.resolve(LOGGER);
  worker.handle(greeting, (job) => {
    log.info({}, `Hello, ${job.payload.name}!`);
  });
};
