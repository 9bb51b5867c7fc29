import { randomBytes } from 'node:crypto';
import { type PrivateServer, startPostgres } from '@warren/store-servers';
import type { ExecutionContext } from 'ava';
import { Client } from 'pg';

let server: Promise<PrivateServer> | undefined;

/** The url of the PostgreSQL that all tests of a file share, which ends with the file: each test has keys, or a table, of its own. */
export async function postgresUrl(options = ''): Promise<string> {
  server ??= startPostgres();
  return (await server).url + options;
}

export function ownTable(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}

/** A connection of its own, which ends with the test. */
export async function postgresClient(t: ExecutionContext): Promise<Client> {
  const client = new Client(await postgresUrl());
  client.on('error', () => {}); // the server is stopped while it is open: whoever asks it next is told
  t.teardown(() => client.end());
  await client.connect();
  return client;
}
