/** How long something takes that takes its time: most often less than `bound`. Smoothed as TCP does it for its retransmissions: RFC 6298, section 2. */
export class RoundTrip {
  #smoothed: number;
  #variation: number;

  /** `guess`: milliseconds, until the first one is over. */
  constructor(guess: number) {
    this.#smoothed = guess / 3;
    this.#variation = guess / 6;
  }

  /** Milliseconds. */
  get bound(): number {
    return this.#smoothed + 4 * this.#variation;
  }

  took(ms: number): void {
    this.#variation += (Math.abs(this.#smoothed - ms) - this.#variation) / 4;
    this.#smoothed += (ms - this.#smoothed) / 8;
  }
}
