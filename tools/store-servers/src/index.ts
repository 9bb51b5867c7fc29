export type { ServerOptions } from './directory.js';
export { ServerError } from './errors.js';
export { findPostgres, findRedis } from './installation.js';
export { type PostgresOptions, startPostgres } from './postgres.js';
export { type RedisOptions, startRedis } from './redis.js';
export type { PrivateServer } from './server.js';
export { withPostgres, withRedis } from './test-servers.js';
