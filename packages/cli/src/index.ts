// @warren/cli: `worker`, and the type of its configuration.
export { defineConfig } from './project/config.js';
export type { WorkerConfig } from './project/config.js';
export type { LogLevel } from './project/log-levels.js';
