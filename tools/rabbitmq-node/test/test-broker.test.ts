import { connect } from 'amqplib';
import test from 'ava';
import { findRabbit, rabbitUrl, withOwnRabbit, withRabbit } from '../src/index.js';

const fake = { name: 'test', skip: { name: 'skip' } };

/** AVA gives every test file its own process.env; an empty string is what an unset variable is. */
function withEnvironment<T>(variables: { WARREN_TEST_AMQP_URL: string; CI: string }, run: () => T): T {
  const { WARREN_TEST_AMQP_URL = '', CI = '' } = process.env;
  Object.assign(process.env, variables);
  try {
    return run();
  } finally {
    Object.assign(process.env, { WARREN_TEST_AMQP_URL, CI });
  }
}

test.serial('A test runs where a URL names a RabbitMQ, wherever one is installed, and always in CI.', (t) => {
  const own = findRabbit() ? fake : fake.skip;
  withEnvironment({ WARREN_TEST_AMQP_URL: 'amqp://elsewhere', CI: '' }, () => {
    t.is(withRabbit(fake), fake);
    t.is(withOwnRabbit(fake), own);
  });
  withEnvironment({ WARREN_TEST_AMQP_URL: '', CI: '' }, () => {
    t.is(withRabbit(fake), own);
  });
  withEnvironment({ WARREN_TEST_AMQP_URL: '', CI: 'true' }, () => {
    t.is(withRabbit(fake), fake);
    t.is(withOwnRabbit(fake), fake);
  });
});

withRabbit(test.serial)('The shared RabbitMQ takes connections, and its URL stays the same.', async (t) => {
  const url = await rabbitUrl();
  t.is(await rabbitUrl(), url);
  const connection = await connect(url);
  await t.notThrowsAsync(connection.close());
});
