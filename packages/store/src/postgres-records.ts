import type { Statements } from './postgres-table.js';
import type { Entry, ListedEntry, PutOptions, Store, Transaction } from './store.js';

/** Entries that are read at once: with the largest values, 25 MiB. */
const PAGE = 100;

/** The records of a table, each call one statement: by a pool, or inside a transaction. */
export class PostgresRecords implements Store {
  readonly #sql: Statements;
  readonly #client: Transaction;

  constructor(sql: Statements, client: Transaction) {
    this.#sql = sql;
    this.#client = client;
  }

  async get(key: string): Promise<Entry | undefined> {
    const { rows } = await this.#client.query(this.#sql.get, [key]);
    return rows[0] && entryOf(rows[0]);
  }

  async putIfAbsent(key: string, value: string, { ttl }: PutOptions = {}): Promise<number | undefined> {
    return this.#version(this.#sql.put, [key, value, ttl ?? null]);
  }

  async replaceIfVersion(
    key: string,
    version: number,
    { value, ttl }: { readonly value: string } & PutOptions,
  ): Promise<number | undefined> {
    return isVersion(version) ? this.#version(this.#sql.replace, [key, version, value, ttl ?? null]) : undefined;
  }

  async deleteIfVersion(key: string, version: number): Promise<boolean> {
    return isVersion(version) && (await this.#client.query(this.#sql.remove, [key, version])).rowCount === 1;
  }

  async *list(prefix: string): AsyncGenerator<ListedEntry> {
    const end = keyAfter(prefix) ?? null;
    let last: string | undefined;
    for (;;) {
      const page = this.#sql.list(last === undefined ? '>=' : '>');
      const { rows } = await this.#client.query(page, [last ?? prefix, end, PAGE]);
      for (const row of rows) yield { key: String(row['key']), ...entryOf(row) };
      if (rows.length < PAGE) return;
      last = String(rows.at(-1)?.['key']);
    }
  }

  async close(): Promise<void> {}

  async #version(statement: string, values: readonly unknown[]): Promise<number | undefined> {
    const { rows } = await this.#client.query(statement, values);
    return rows[0] && Number(rows[0]['version']);
  }
}

/** Numbers that no version can be are errors to PostgreSQL. */
function isVersion(version: number): boolean {
  return Number.isSafeInteger(version);
}

function entryOf(row: Record<string, unknown>): Entry {
  return { value: String(row['value']), version: Number(row['version']), age: Number(row['age']) };
}

const LAST_CHARACTER = 0x10ffff;

/** The first text, in the order of code points, after all that begin with `prefix`; undefined where there is none. */
export function keyAfter(prefix: string): string | undefined {
  const characters = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (characters.at(-1) === LAST_CHARACTER) characters.pop();
  const last = characters.pop();
  if (last === undefined) return undefined;
  const next = last + 1 === 0xd800 ? 0xe000 : last + 1; // surrogates are no characters
  return String.fromCodePoint(...characters, next);
}
