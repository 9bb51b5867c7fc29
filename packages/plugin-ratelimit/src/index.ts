// @warren/plugin-ratelimit: prefetch throttling, rate limits per worker, handler and key, pauses for 429s, slow start.
export { default } from './plugin.js';
export type { RateLimitPluginOptions } from './options.js';
export { RateLimitError, UnknownRateLimitError } from './errors.js';
export type { Limit, RateLimit, RateLimitOptions } from './limit.js';
export { LIMITER } from './limiter.js';
export type { Claim, Limiter } from './limiter.js';
export { LocalLimiter } from './local-limiter.js';
export type { LocalLimiterOptions } from './local-limiter.js';
export type { PrefetchOptions } from './prefetch.js';
export { RATE_LIMIT } from './rate-limits.js';
export type { RateLimits } from './rate-limits.js';
export { StoreLimiter } from './store-limiter.js';
export type { StoreLimiterOptions } from './store-limiter.js';
export type { SlowStartOptions } from './slow-start.js';
