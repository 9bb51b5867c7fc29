import { Worker } from '@warren/core';
import { CONNECT_TIMEOUT } from './project.js';
import type { Project } from './project.js';

/** The plugin that, when it starts, sends what a producer has left: that of a running one is still being sent by itself. */
const SPOOL = 'spool';

/** A worker of the project without its handlers: started, it publishes, and the plugins' services can be asked. */
export function producerOf({ options }: Pick<Project, 'options'>): Worker {
  const plugins = options.plugins?.filter(({ name }) => name !== SPOOL) ?? [];
  return new Worker({ startTimeout: CONNECT_TIMEOUT, ...options, plugins });
}
