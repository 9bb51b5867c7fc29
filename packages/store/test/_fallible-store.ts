import { GuardedStore } from '../src/index.js';
import type { Store } from '../src/index.js';

/** Fails before a call has done anything, or after it, or leaves it without an answer: undone, or done after `settle()`. */
export type Fault = 'before' | 'after' | 'silent' | 'late';

/** A store in front of another one whose changes, and reads, go wrong when told to. */
export class FallibleStore extends GuardedStore {
  /** Of the calls to come, one after another; when there are none left, the last one stays if it is `always`. */
  readonly faults: Fault[];
  always: Fault | undefined;
  readonly #late: Array<() => Promise<unknown>>;

  constructor(store: Store, timeout = 60_000) {
    const faults: Fault[] = [];
    const late: Array<() => Promise<unknown>> = [];
    const ask = async <R>(call: () => Promise<R>): Promise<R> => {
      const fault = faults.shift() ?? this.always;
      if (fault === undefined) return call();
      if (fault === 'before') throw new Error('refused');
      if (fault === 'after') {
        await call();
        throw new Error('connection lost');
      }
      if (fault === 'late') late.push(call);
      return new Promise(() => {});
    };
    super({
      name: 'fallible:',
      timeout,
      open: async () => ({
        get: (key) => ask(() => store.get(key)),
        putIfAbsent: (key, value, options) => ask(() => store.putIfAbsent(key, value, options)),
        replaceIfVersion: (key, version, change) => ask(() => store.replaceIfVersion(key, version, change)),
        deleteIfVersion: (key, version) => ask(() => store.deleteIfVersion(key, version)),
        list: (prefix) => store.list(prefix),
        close: () => store.close(),
      }),
    });
    this.faults = faults;
    this.#late = late;
  }

  /** Does what was asked for and never answered. */
  async settle(): Promise<void> {
    for (const call of this.#late.splice(0)) await call();
  }
}
