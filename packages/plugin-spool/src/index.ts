// @warren/plugin-spool: what a producer has published survives its own crash. What is guaranteed: docs/spool.md.
export { default } from './plugin.js';
export type { SpoolOptions } from './plugin.js';
export * from './errors.js';
