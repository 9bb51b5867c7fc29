import { startPostgres, withPostgres } from '@warren/store-servers';
import test, { type SerialFn } from 'ava';
import { serverFaults } from './_server-faults.js';

serverFaults(withPostgres(test.serial) as SerialFn, {
  name: 'PostgreSQL',
  start: () => startPostgres(),
  url: ({ url }) => url,
  changePassword: () => Promise.resolve(), // it checks the one of its own url
});
