import type { Records } from '@warren/store';
import { EMPTY, lifeOf } from './shared-window.js';
import type { SharedWindow } from './shared-window.js';
import type { StoreClock, StoreTime } from './store-clock.js';

/** Milliseconds that a record stays when it is over: it must never be gone sooner. */
const SLACK = 1_000;

/** What becomes of the window, and the answer. */
export type Change<R> = (window: SharedWindow, now: StoreTime) => readonly [SharedWindow, R];

interface Request {
  readonly change: Change<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The record of one key. What is asked for while the store is being asked goes to it together: its latency does not bound the rate. */
export class SharedRecord {
  readonly #records: Records<SharedWindow>;
  readonly #key: string;
  readonly #clock: StoreClock;
  #requests: Request[] = [];
  #busy = false;

  constructor(key: string, { records, clock }: { readonly records: Records<SharedWindow>; readonly clock: StoreClock }) {
    this.#key = key;
    this.#records = records;
    this.#clock = clock;
  }

  get idle(): boolean {
    return !this.#busy;
  }

  /** Atomic: the answer is that of the change that happened. Rejects as the store does; the change may have happened then. */
  change<R>(change: Change<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ change, resolve: (answer) => resolve(answer as R), reject });
      if (!this.#busy) void this.#serveAll();
    });
  }

  async #serveAll(): Promise<void> {
    this.#busy = true;
    // Those who ask in the same turn go together.
    await Promise.resolve();
    while (this.#requests.length > 0) {
      const requests = this.#requests.splice(0);
      try {
        const answers = await this.#serve(requests.map(({ change }) => change));
        for (const [index, { resolve }] of requests.entries()) resolve(answers[index]);
      } catch (error) {
        for (const { reject } of requests) reject(error);
      }
    }
    this.#busy = false;
  }

  /** Again until nobody else has changed the record meanwhile: one of those who do succeeds. */
  async #serve(changes: ReadonlyArray<Change<unknown>>): Promise<unknown[]> {
    for (;;) {
      const found = await this.#records.get(this.#key);
      const now = this.#clock.now;
      const before = found?.value ?? EMPTY;
      let window = before;
      const answers = changes.map((change) => {
        const [next, answer] = change(window, now);
        window = next;
        return answer;
      });
      if (window === before) return answers;
      const ttl = Math.max(0, Math.ceil(lifeOf(window, now))) + SLACK;
      const written = found
        ? this.#records.replaceIfVersion(this.#key, found.version, { value: window, ttl })
        : this.#records.putIfAbsent(this.#key, window, { ttl });
      if ((await written) !== undefined) return answers;
    }
  }
}
