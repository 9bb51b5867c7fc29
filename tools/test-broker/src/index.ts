export { breakableBroker, freshBroker } from './own-broker.js';
export { brokerUrl } from './shared-broker.js';
export type { BreakableBroker, TestBroker } from './test-broker.js';
