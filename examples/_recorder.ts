/** Keeps what comes, in order, and lets a test wait for the first so many. */
export class Recorder<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (value: T): void => {
    this.all.push(value);
    for (const check of this.#waiting) check();
  };

  /** The first `count` values, as soon as they are there. AVA's timeout ends a wait in vain. */
  async first(count: number): Promise<T[]> {
    await this.#until(() => this.all.length >= count);
    return this.all.slice(0, count);
  }

  /** The first value that fits, as soon as it is there. */
  async find(fits: (value: T) => boolean): Promise<T> {
    await this.#until(() => this.all.some(fits));
    return this.all.find(fits) as T;
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }
}
