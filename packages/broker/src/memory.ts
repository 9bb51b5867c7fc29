/** Counts the memory that messages take and tells when the limit is crossed, either way. */
export class Memory {
  #used = 0;
  #blocked = false;
  #reason: string | undefined;
  readonly #limit: number;
  readonly #changed: () => void;

  constructor(limit: number, changed: () => void) {
    this.#limit = limit;
    this.#changed = changed;
  }

  get used(): number {
    return this.#used;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Why publishers have to wait at present; undefined when they have not. */
  get alarm(): string | undefined {
    return this.#reason ?? (this.#blocked ? 'low on memory' : undefined);
  }

  take(octets: number): void {
    this.#used += octets;
    if (this.#used > this.#limit && !this.#blocked) {
      this.#blocked = true;
      this.#changed();
    }
  }

  release(octets: number): void {
    this.#used -= octets;
    if (this.#used <= this.#limit && this.#blocked) {
      this.#blocked = false;
      this.#changed();
    }
  }

  /** Raises an alarm by hand, whatever is used; undefined clears it. */
  force(reason: string | undefined): void {
    this.#reason = reason;
    this.#changed();
  }
}
