import { startPostgres, withPostgres } from '@warren/store-servers';
import test from 'ava';
import { type FaultyServer, serverFaults, silentLoss } from './_server-faults.js';

const where = withPostgres(test.serial);
const server: FaultyServer = {
  name: 'PostgreSQL',
  start: () => startPostgres(),
  url: ({ url }) => url,
  changePassword: () => Promise.resolve(), // it checks the one of its own url
};
serverFaults(where, server);
silentLoss(where, server);
