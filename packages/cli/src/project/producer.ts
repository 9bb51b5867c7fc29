import { Worker } from '@warren/core';
import { CONNECT_TIMEOUT } from './project.js';
import type { Project } from './project.js';

/** A worker of the project without its handlers: started, it publishes, and the plugins' services can be asked. */
export function producerOf({ options }: Project): Worker {
  return new Worker({ startTimeout: CONNECT_TIMEOUT, ...options });
}
