// @warren/core/testing: run handlers without a broker.
export { createTestWorker, TestWorker } from './test-worker.js';
export type { DeliverOptions } from './test-worker.js';
export { MemoryConnection, MemoryDelivery } from './memory-connection.js';
export { VirtualClock } from './virtual-clock.js';
