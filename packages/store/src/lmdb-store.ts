import type { LmdbEnvironment, StoredRecord } from './lmdb-environment.js';
import type { Entry, ListedEntry, PutOptions, Store } from './store.js';

/** Expired records that a write removes: more than it can add, so that they do not pile up. */
const SWEPT = 8;
/** Records that `list` reads at once: between two pages it holds no old snapshot of the database. */
const PAGE = 100;
const MOMENT_BYTES = 8;
const NOTHING = Buffer.alloc(0);

/** What a change begins with, inside its transaction. */
interface Found {
  readonly name: Buffer;
  /** May have expired. */
  readonly record: StoredRecord | undefined;
  readonly now: number;
}

/** Records in an LMDB environment, which several processes of one machine may have open. A change is a write transaction. */
export class LmdbStore implements Store {
  readonly #environment: LmdbEnvironment;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
  }

  async get(key: string): Promise<Entry | undefined> {
    const now = this.#freshly();
    const record = this.#environment.records.get(Buffer.from(key));
    return isLive(record, now) ? entryOf(record, now) : undefined;
  }

  putIfAbsent(key: string, value: string, { ttl }: PutOptions = {}): Promise<number | undefined> {
    return this.#change(key, ({ name, record, now }) => {
      if (isLive(record, now)) return undefined;
      this.#remove(name, record);
      return this.#put(name, { value, ttl, now });
    });
  }

  replaceIfVersion(
    key: string,
    version: number,
    { value, ttl }: { readonly value: string } & PutOptions,
  ): Promise<number | undefined> {
    return this.#change(key, ({ name, record, now }) => {
      if (!isLive(record, now) || record[0] !== version) return undefined;
      this.#remove(name, record);
      return this.#put(name, { value, ttl, now });
    });
  }

  deleteIfVersion(key: string, version: number): Promise<boolean> {
    return this.#change(key, ({ name, record, now }) => {
      if (!isLive(record, now) || record[0] !== version) return false;
      this.#remove(name, record);
      return true;
    });
  }

  async *list(prefix: string): AsyncGenerator<ListedEntry> {
    const first = Buffer.from(prefix);
    let start: Buffer | undefined = first;
    while (start) {
      const now = this.#freshly();
      const page = this.#page(first, start);
      for (const { key, value } of page) if (isLive(value, now)) yield { key: key.toString(), ...entryOf(value, now) };
      start = page.length < PAGE ? undefined : page.at(-1)?.key;
    }
  }

  close(): Promise<void> {
    return this.#environment.close();
  }

  /** A snapshot from earlier in this turn of the event loop may lack what another process has written since. */
  #freshly(): number {
    this.#environment.root.resetReadTxn();
    return Date.now();
  }

  #change<R>(key: string, change: (found: Found) => R): Promise<R> {
    const { root, records } = this.#environment;
    const changed = root.transaction(() => {
      const now = Date.now();
      const name = Buffer.from(key);
      this.#sweep(now);
      return change({ name, record: records.get(name), now });
    });
    return changed.catch(async (error: unknown) => {
      throw await commitFailure(error);
    });
  }

  #put(name: Buffer, { value, ttl, now }: { value: string; ttl: number | undefined; now: number }): number {
    const { records, expiries, counters } = this.#environment;
    const version = (counters.get('version') ?? 0) + 1;
    const expires = ttl === undefined ? null : now + ttl;
    void counters.put('version', version);
    void records.put(name, [version, now, expires, value]);
    if (expires !== null) void expiries.put(expiryKey(expires, name), NOTHING);
    return version;
  }

  #remove(name: Buffer, record: StoredRecord | undefined): void {
    if (!record) return;
    const expires = record[2];
    if (expires !== null) void this.#environment.expiries.remove(expiryKey(expires, name));
    void this.#environment.records.remove(name);
  }

  #sweep(now: number): void {
    const { records, expiries } = this.#environment;
    const expired = expiries.getKeys({ end: expiryKey(now + 1, NOTHING), limit: SWEPT });
    for (const key of Array.from(expired, (key) => Buffer.from(key))) {
      void expiries.remove(key);
      void records.remove(key.subarray(MOMENT_BYTES));
    }
  }

  /** What follows `start`; the first page begins with it. */
  #page(prefix: Buffer, start: Buffer): Array<{ key: Buffer; value: StoredRecord }> {
    const range = { start, exclusiveStart: start !== prefix, limit: PAGE };
    const page = [];
    for (const { key, value } of this.#environment.records.getRange(range)) {
      if (!key.subarray(0, prefix.length).equals(prefix)) break;
      page.push({ key: Buffer.from(key), value });
    }
    return page;
  }
}

/** Why a commit failed is a rejection of its own, in what rejects: it ends the process unless somebody hears of it. */
async function commitFailure(failure: unknown): Promise<unknown> {
  const { commitError } = failure as { readonly commitError?: Promise<never> };
  const reason = await commitError?.catch((cause: unknown) => cause);
  return reason instanceof Error ? new Error(`${reason.message}, as when the disk is full`, { cause: reason }) : failure;
}

function isLive(record: StoredRecord | undefined, now: number): record is StoredRecord {
  return record !== undefined && (record[2] ?? Infinity) > now;
}

/** The machine's clock may have been set back. */
function entryOf([version, written, , value]: StoredRecord, now: number): Entry {
  return { value, version, age: Math.max(0, now - written) };
}

function expiryKey(expires: number, name: Buffer): Buffer {
  const moment = Buffer.alloc(MOMENT_BYTES);
  moment.writeDoubleBE(expires);
  return Buffer.concat([moment, name]);
}
