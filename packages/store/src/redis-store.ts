import { StoreTimeoutError } from './errors.js';
import type { RedisConnection, RedisNode } from './redis-connection.js';
import type { ScriptedClient } from './redis-scripts.js';
import type { StoreClient } from './guarded-store.js';
import type { Entry, ListedEntry, PutOptions } from './store.js';

interface RedisStoreOptions {
  /** For messages. */
  readonly name: string;
  /** What all keys begin with. */
  readonly prefix: string;
  /** Milliseconds after which a connection that does not answer is made anew. */
  readonly patience: number;
}

/** Keys that are read at once: with the largest values, 25 MiB. */
const PAGE = 100;

/** Records in a Redis, or in a cluster, as redis-scripts.ts writes them. */
export class RedisStore implements StoreClient {
  readonly #connection: RedisConnection;
  readonly #options: RedisStoreOptions;

  constructor(connection: RedisConnection, options: RedisStoreOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async get(key: string): Promise<Entry | undefined> {
    const found = await this.#run(key, (scripts, name) => scripts.getRecord(name));
    if (!found) return undefined;
    const [value, version, age] = found;
    return { value, version, age };
  }

  async putIfAbsent(key: string, value: string, { ttl }: PutOptions = {}): Promise<number | undefined> {
    const version = await this.#run(key, (scripts, name) => scripts.putRecord(name, value, ...expiry(ttl)));
    return version ?? undefined;
  }

  async replaceIfVersion(
    key: string,
    version: number,
    { value, ttl }: { readonly value: string } & PutOptions,
  ): Promise<number | undefined> {
    const replace = (scripts: ScriptedClient, name: string) =>
      scripts.replaceRecord(name, String(version), value, ...expiry(ttl));
    return (await this.#run(key, replace)) ?? undefined;
  }

  async deleteIfVersion(key: string, version: number): Promise<boolean> {
    const deleted = await this.#run(key, (scripts, name) => scripts.deleteRecord(name, String(version)));
    return deleted === 1;
  }

  /** Undefined between two pages: of millions of keys all may be others'. */
  async *list(prefix: string): AsyncGenerator<ListedEntry | undefined> {
    const seen = new Set<string>(); // SCAN may give a key twice, and so may two nodes while its slot moves
    for await (const keys of this.#pages(prefix)) {
      const fresh = [...new Set(keys)].filter((key) => !seen.has(key));
      for (const key of fresh) seen.add(key);
      const entries = await Promise.all(fresh.map(async (key) => ({ key, entry: await this.get(key) })));
      for (const { key, entry } of entries) if (entry) yield { key, ...entry };
      yield undefined;
    }
  }

  async close(): Promise<void> {
    this.#connection.destroy();
  }

  async *#pages(prefix: string): AsyncGenerator<string[]> {
    const options = { MATCH: `${escapeGlob(this.#options.prefix + prefix)}*`, COUNT: PAGE };
    for (const node of await this.#connection.masters()) {
      const pages = node.scanIterator(options)[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await this.#answered(node, () => pages.next());
        if (done) break;
        yield value.map((name) => name.slice(this.#options.prefix.length));
      }
    }
  }

  #run<R>(key: string, run: (scripts: ScriptedClient, name: string) => Promise<R>): Promise<R> {
    const name = this.#options.prefix + key;
    return this.#answered(this.#connection.nodeOf(name), () => run(this.#connection.scripts, name));
  }

  async #answered<R>(node: RedisNode | Promise<RedisNode>, ask: () => Promise<R>): Promise<R> {
    const { name: store, patience } = this.#options;
    let watch: NodeJS.Timeout | undefined;
    try {
      const asked = await node;
      watch = setTimeout(() => this.#connection.restart(asked, new StoreTimeoutError({ store, ms: patience })), patience);
      return await ask().catch((error: unknown) => {
        if (isReplica(error)) this.#connection.restart(asked, error);
        throw error;
      });
    } catch (error) {
      throw this.#connection.reason(error);
    } finally {
      clearTimeout(watch);
    }
  }
}

/** After a failover the address may be another server's, and this connection that of the former one. */
function isReplica(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('READONLY');
}

function expiry(ttl: number | undefined): string[] {
  return ttl === undefined ? [] : ['PX', String(ttl)];
}

/** For MATCH, whose wildcards are those of a shell. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}
