/** Keeps what comes, in order, and lets a test wait for the first so many. */
export class Recorder<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (value: T): void => {
    this.all.push(value);
    for (const check of this.#waiting) check();
  };

  /** The first `count` values, as soon as they are there. AVA's timeout ends a wait in vain. */
  first(count: number): Promise<T[]> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.all.length < count) return;
        this.#waiting.delete(check);
        resolve(this.all.slice(0, count));
      };
      this.#waiting.add(check);
      check();
    });
  }
}
