import test from 'ava';
import { findPostgres, findRedis, startPostgres, startRedis, withPostgres, withRedis } from '../src/index.js';

const fake = { name: 'test', skip: { name: 'skip' } };

// AVA gives every test file its own process.env.
test.serial('Where a server is not installed its tests are skipped, and in CI they run and fail.', async (t) => {
  const { PATH: path, CI: ci = '' } = process.env;
  t.teardown(() => Object.assign(process.env, { PATH: path, CI: ci }));
  process.env['CI'] = '';
  t.is(withRedis(fake), findRedis() ? fake : fake.skip);
  t.is(withPostgres(fake), findPostgres() ? fake : fake.skip);
  process.env['PATH'] = '';
  if (!findRedis())
    await t.throwsAsync(startRedis(), { code: 'ERR_REDIS_NOT_INSTALLED', message: /apt-get install redis-server/ });
  if (!findPostgres())
    await t.throwsAsync(startPostgres(), { code: 'ERR_POSTGRES_NOT_INSTALLED', message: /apt-get install postgresql/ });
  process.env['CI'] = 'true';
  t.is(withRedis(fake), fake);
  t.is(withPostgres(fake), fake);
});
