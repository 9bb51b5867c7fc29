import { available } from '@warren/rabbitmq-node';
import { findPostgres, findRedis } from './installation.js';

/**
 * `test` where Redis is installed, `test.skip` where it is not, and in CI (`CI` is set) still `test`, which then fails.
 *
 * ```ts
 * import test from 'ava';
 * import { startRedis, withRedis } from '@warren/store-servers';
 *
 * withRedis(test)('A record is there after a crash.', async (t) => {
 *   await using redis = await startRedis();
 * });
 * ```
 */
export function withRedis<T extends { skip: unknown }>(test: T): T['skip'] {
  return available(test, findRedis() !== undefined);
}

/** As `withRedis`, for `startPostgres()`. */
export function withPostgres<T extends { skip: unknown }>(test: T): T['skip'] {
  return available(test, findPostgres() !== undefined);
}
