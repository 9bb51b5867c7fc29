// @warren/plugin-idempotency: of several messages with one key one runs. What that guarantees: docs/idempotency.md.
export { default } from './plugin.js';
export { IdempotencyConflictError, TransactionOverError } from './errors.js';
export { IDEMPOTENCY_KEY } from './key.js';
export type { IdempotencyOptions, IdempotencyPluginOptions } from './options.js';
