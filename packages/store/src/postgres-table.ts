/** Longest name: with the longest of our suffixes, PostgreSQL's 63 bytes. */
const NAME = /^[a-z_][a-z0-9_]{0,49}$/;

export function isTableName(name: string): boolean {
  return NAME.test(name);
}

/** Milliseconds after `$n`, by the server's clock; NULL for none. Not `now()`, which stands still in a transaction. */
const expiry = (parameter: string) => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

/** Records that are over stay so long before they are swept, which keeps versions growing: see `put`. */
const GRACE = '1 minute';

/** What is asked before it is known where the table is. */
export interface TableStatements {
  /** Gives the table's `schema`, as it is written in a statement; no row where there is no table. */
  readonly find: string;
  /** One transaction; any number of processes may run it at once. */
  readonly create: string;
}

export function tableStatements(name: string): TableStatements {
  return {
    find: `SELECT relnamespace::regnamespace::text AS schema FROM pg_class WHERE oid = to_regclass('"${name}"')`,
    create: `
      SELECT pg_advisory_xact_lock(hashtext('warren store ${name}'));
      CREATE TABLE IF NOT EXISTS "${name}" (
        key text COLLATE "C" PRIMARY KEY,
        value text NOT NULL,
        version bigint NOT NULL,
        written_at timestamptz NOT NULL,
        expires_at timestamptz
      );
      CREATE SEQUENCE IF NOT EXISTS "${name}_version" OWNED BY "${name}".version;
      CREATE INDEX IF NOT EXISTS "${name}_expires_at" ON "${name}" (expires_at) WHERE expires_at IS NOT NULL;`,
  };
}

export interface Statements {
  readonly get: string;
  readonly put: string;
  readonly replace: string;
  readonly remove: string;
  readonly sweep: string;
  /** The first page from a key on, or those after it, up to another key. */
  readonly list: (from: '>=' | '>') => string;
}

/**
 * All that is asked of the table where it is: a handler may change the search path of its transaction. The version of a record comes from a sequence, taken while its row is locked. This is also
 * why a record that is deleted is only marked as over: a put that waited for the deletion then replaces the row and takes a new
 * number, where an insert would use the one that it took before it waited.
 */
export function statementsFor(name: string, schema: string): Statements {
  const table = `${schema}."${name}"`;
  const version = `nextval('${schema.replaceAll("'", "''")}."${name}_version"')`;
  const columns = `value, version, greatest(0, floor(extract(epoch FROM clock_timestamp() - written_at) * 1000))::float8 AS age`;
  const there = `(expires_at IS NULL OR expires_at > clock_timestamp())`;
  const written = (ttl: string) => `version = ${version}, written_at = clock_timestamp(), expires_at = ${expiry(ttl)}`;
  return {
    get: `SELECT ${columns} FROM ${table} WHERE key = $1 AND ${there}`,
    put: `
      INSERT INTO ${table} AS old (key, value, version, written_at, expires_at)
      VALUES ($1, $2, ${version}, clock_timestamp(), ${expiry('$3')})
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, ${written('$3')} WHERE old.expires_at <= clock_timestamp()
      RETURNING version`,
    replace: `UPDATE ${table} SET value = $3, ${written('$4')} WHERE key = $1 AND version = $2 AND ${there} RETURNING version`,
    remove: `UPDATE ${table} SET value = '', expires_at = clock_timestamp() WHERE key = $1 AND version = $2 AND ${there}`,
    sweep: `
      DELETE FROM ${table} WHERE key IN (
        SELECT key FROM ${table} WHERE expires_at < clock_timestamp() - interval '${GRACE}'
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    list: (from) => `
      SELECT key, ${columns} FROM ${table}
      WHERE key ${from} $1 AND ($2::text IS NULL OR key < $2) AND ${there} ORDER BY key LIMIT $3`,
  };
}
