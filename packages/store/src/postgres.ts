import { GuardedTransactionalStore } from './guarded-transactional-store.js';
import { importClient } from './import-client.js';
import { PostgresStore } from './postgres-store.js';
import { isTableName } from './postgres-table.js';
import { badOption, parseServerUrl, PATIENCE } from './server-url.js';
import type { TransactionalStore } from './store.js';

const DEFAULT_TABLE = 'warren_store';
const DEFAULT_TRANSACTIONS = '10';

/**
 * `postgres://user:password@host:5432/database`, with what pg takes after `?`, as `sslmode`. Options of ours there: `table`, made when it is
 * missing, default `warren_store`; `transactions`, that may be open at once, default 10: the next one waits, within the timeout.
 * Throws `ERR_STORE_URL`.
 */
export function postgresStore(text: string, { timeout }: { readonly timeout: number }): TransactionalStore {
  const server = parseServerUrl(text, ['table', 'transactions']);
  const { url, name, options } = server;
  const { table = DEFAULT_TABLE, transactions = DEFAULT_TRANSACTIONS } = options;
  if (!isTableName(table)) throw badOption(server, 'table', 'a-z, 0-9 and _, no digit first, at most 50 characters');
  if (!/^[1-9]\d{0,3}$/.test(transactions)) throw badOption(server, 'transactions', '1 to 9999');
  const address = { url: url.href, patience: timeout + PATIENCE, transactions: Number(transactions), table };
  const open = async () => PostgresStore.open(await importClient(() => import('pg'), { client: 'pg', url: name }), address);
  return new GuardedTransactionalStore({ name, timeout, open });
}
