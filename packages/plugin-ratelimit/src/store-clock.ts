import type { Clock } from '@warren/core';
import type { Store } from '@warren/store';

/** Never changed: its age is the time of the store. */
const EPOCH = 'limit/epoch';

/** Milliseconds that a reading is good for: two clocks drift apart by a hundredth of that at the very worst. */
const FRESH = 1_000;
const DRIFT = 1e-4;

/** It is not earlier, and not later. */
export interface StoreTime {
  readonly earliest: number;
  readonly latest: number;
}

/**
 * The store's own clock, which all who share it agree on whatever theirs say: milliseconds since somebody first asked. Read from the
 * store now and then, between by the clock of this process, and never surer than the store took to answer (Cristian, "Probabilistic clock synchronization", 1989).
 */
export class StoreClock {
  readonly #store: Store;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #reading: Promise<void> | undefined;
  #asked = -Infinity;
  #answered = -Infinity;
  #age = 0;
  #epoch = 0;

  constructor(store: Store, clock: Pick<Clock, 'monotonic'>) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Names the clock: another one after the store has lost its records. */
  get epoch(): number {
    return this.#epoch;
  }

  get now(): StoreTime {
    const now = this.#clock.monotonic();
    const drift = (now - this.#answered) * DRIFT;
    // Stores whose clocks have milliseconds round the age down.
    return { earliest: this.#age + now - this.#answered - drift, latest: this.#age + 1 + now - this.#asked + drift };
  }

  /** Before `now` is asked for. Rejects as the store does. */
  async fresh(): Promise<void> {
    if (this.#clock.monotonic() - this.#asked < FRESH) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    const asked = this.#clock.monotonic();
    const epoch = await this.#store.get(EPOCH);
    if (!epoch) {
      await this.#store.putIfAbsent(EPOCH, '');
      return this.#read();
    }
    this.#age = epoch.age;
    this.#epoch = epoch.version;
    this.#asked = asked;
    this.#answered = this.#clock.monotonic();
  }
}
