import { findRabbit } from './installation.js';
import { startRabbit } from './node.js';

/**
 * `test` where RabbitMQ is there, `test.skip` where it is not, and in CI (`CI` is set) still `test`, which then fails.
 * RabbitMQ is there when `WARREN_TEST_AMQP_URL` names one (`npm test` starts one and sets it) or when it is installed.
 *
 * ```ts
 * import test from 'ava';
 * import { rabbitUrl, withRabbit } from '@warren/rabbitmq-node';
 *
 * withRabbit(test)('a confirmed message is in the queue', async (t) => {
 *   const connection = await connect(await rabbitUrl());   // shared by all tests: use queue names of your own
 * });
 * ```
 */
export function withRabbit<T extends { skip: unknown }>(test: T): T['skip'] {
  return available(test, Boolean(process.env['WARREN_TEST_AMQP_URL'] || findRabbit()));
}

/** As `withRabbit`, for a test that breaks a node of its own, from `startRabbit()`: RabbitMQ has to be installed here. */
export function withOwnRabbit<T extends { skip: unknown }>(test: T): T['skip'] {
  return available(test, findRabbit() !== undefined);
}

/** `test` where what it needs is there, `test.skip` where it is not, and in CI still `test`. */
export function available<T extends { skip: unknown }>(test: T, there: boolean): T['skip'] {
  return there || process.env['CI'] ? test : test.skip;
}

let shared: Promise<string> | undefined;

/**
 * The AMQP URL of the RabbitMQ that all tests of a run share: `WARREN_TEST_AMQP_URL`, else a node that is started at the first call and
 * ends with the test file, so that `npx ava` in one package works too. Any version of RabbitMQ; use queue names of your own.
 */
export function rabbitUrl(): Promise<string> {
  const { WARREN_TEST_AMQP_URL: url } = process.env;
  if (url) return Promise.resolve(url);
  shared ??= startRabbit().then((node) => node.url);
  return shared;
}
