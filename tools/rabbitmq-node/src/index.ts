export { RabbitError } from './errors.js';
export { findRabbit } from './installation.js';
export { Lifeline } from './lifeline.js';
export { type RabbitNode, startRabbit } from './node.js';
export type { RabbitOptions } from './node-files.js';
export { accepts, freePort } from './ports.js';
export { type FaultyProxy, startProxy } from './proxy.js';
export { available, rabbitUrl, withOwnRabbit, withRabbit } from './test-broker.js';
