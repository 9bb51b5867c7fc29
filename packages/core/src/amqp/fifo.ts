/** Shifted entries that may stay before the array is cut. */
const SLACK = 1_024;

/** First in, first out. An array's own `shift` moves all that is behind it: 0.1 ms for each of 150 000 entries. */
export class Fifo<T> implements Iterable<T> {
  #entries: Array<T | undefined>;
  #head = 0;

  constructor(entries: Iterable<T> = []) {
    this.#entries = [...entries];
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  shift(): T | undefined {
    if (this.#head === this.#entries.length) return undefined;
    const first = this.#entries[this.#head];
    this.#entries[this.#head++] = undefined;
    if (this.#head >= SLACK && this.#head * 2 >= this.#entries.length) this.#cut();
    return first;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = this.#head; index < this.#entries.length; index++) yield this.#entries[index] as T;
  }

  #cut(): void {
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
