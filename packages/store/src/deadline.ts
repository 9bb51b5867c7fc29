/** A moment until which something must have been answered. */
export class Deadline {
  readonly #end: number;
  readonly #error: () => Error;

  /** In `ms` milliseconds; what is late then rejects with what `error` makes. */
  constructor(ms: number, error: () => Error) {
    this.#end = performance.now() + ms;
    this.#error = error;
  }

  /** As `answer`, unless the deadline comes first. */
  bound<R>(answer: Promise<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#error()), Math.max(0, this.#end - performance.now()));
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
