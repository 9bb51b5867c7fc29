import { randomBytes } from 'node:crypto';
import { Records } from '@warren/store';
import type { Store } from '@warren/store';

/** A message's first record: it is written last and deleted first, so that all parts are there where it is. */
interface Head {
  readonly text: string;
  /** How many more records have the rest of the text. */
  readonly parts: number;
}

/** What is needed to erase a text. */
export interface Place {
  readonly id: string;
  /** Undefined where somebody else had written it, who erases it too. */
  readonly version: number | undefined;
  readonly parts: number;
}

const HEADS = 'spool/message/';
const PARTS = 'spool/part/';

/** Characters of a text in one record: a store takes 256 KiB with the JSON around them. */
const RECORD = 256 * 1024 - 64;

/** Parts that are older, and without their message, belong to a process that died while it wrote or erased; milliseconds. */
const ABANDONED = 60_000;

/** Texts in a store, of any length, in the order in which they were written. */
export class SpoolRecords {
  readonly #store: Store;
  readonly #heads: Records<Head>;
  readonly #parts: Records<string>;
  /** Tells this process's records from those of others. */
  readonly #owner = randomBytes(4).toString('hex');
  #last = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#heads = new Records(store, HEADS);
    this.#parts = new Records(store, PARTS);
  }

  /** `now`: milliseconds since the epoch. Rejects as the store does. */
  async write(text: string, now: number): Promise<Place> {
    const id = this.#nextId(now);
    const rest = slices(text.slice(RECORD));
    if (rest.length > 0) await Promise.all(rest.map((part, index) => this.#parts.putIfAbsent(partKey(id, index), part)));
    const version = await this.#heads.putIfAbsent(id, { text: text.slice(0, RECORD), parts: rest.length });
    return { id, version, parts: rest.length };
  }

  /** Undefined where it has been erased meanwhile. */
  async read(id: string): Promise<{ readonly text: string; readonly place: Place } | undefined> {
    const head = await this.#heads.get(id);
    if (!head) return undefined;
    const { text, parts } = head.value;
    const rest = await Promise.all(Array.from({ length: parts }, (_, index) => this.#parts.get(partKey(id, index))));
    if (rest.includes(undefined)) return undefined;
    return { text: text + rest.map((part) => part?.value).join(''), place: { id, version: head.version, parts } };
  }

  async erase({ id, version, parts }: Place): Promise<void> {
    if (version === undefined) return;
    await this.#heads.deleteIfVersion(id, version);
    if (parts > 0) await this.#eraseParts(id, parts);
  }

  /** The ids of what others have left, oldest first. */
  async left(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { key } of this.#store.list(HEADS)) {
      const id = key.slice(HEADS.length);
      if (!this.#isOwn(id)) ids.push(id);
    }
    await this.#sweepParts(new Set(ids));
    return ids.toSorted();
  }

  async #eraseParts(id: string, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const part = await this.#parts.get(partKey(id, index));
      if (part) await this.#parts.deleteIfVersion(partKey(id, index), part.version);
    }
  }

  async #sweepParts(left: ReadonlySet<string>): Promise<void> {
    for await (const { key, version, age } of this.#store.list(PARTS)) {
      const [id = ''] = key.slice(PARTS.length).split('/');
      if (age >= ABANDONED && !left.has(id) && !this.#isOwn(id)) await this.#store.deleteIfVersion(key, version);
    }
  }

  /** The time in microseconds, and always more than the last: ids sort in the order of writing, also over a restart. */
  #nextId(now: number): string {
    this.#last = Math.max(this.#last + 1, Math.floor(now * 1_000));
    return `${String(this.#last).padStart(16, '0')}-${this.#owner}`;
  }

  #isOwn(id: string): boolean {
    return id.endsWith(`-${this.#owner}`);
  }
}

function slices(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / RECORD) }, (_, index) => text.slice(index * RECORD, (index + 1) * RECORD));
}

function partKey(id: string, index: number): string {
  return `${id}/${index}`;
}
