// Time as queues see it: real, or moved by hand in tests.

/** Something that was scheduled. */
export interface Timer {
  /** When it is due, in milliseconds since the epoch. */
  readonly due: number;
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once, not before `due`. */
  at(due: number, callback: () => void): Timer;
}

// Node's timers overflow above this and would fire at once.
const MAX_DELAY = 0x7fff_ffff;

export class RealClock implements Clock {
  now(): number {
    return Date.now();
  }

  at(due: number, callback: () => void): Timer {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const left = due - Date.now();
      handle = left <= 0 ? setTimeout(callback, 0) : setTimeout(left > MAX_DELAY ? arm : fire, Math.min(left, MAX_DELAY));
    };
    // Node rounds to whole milliseconds of its own clock, so a timer can come a moment early.
    const fire = (): void => (Date.now() < due ? arm() : callback());
    arm();
    return { due, cancel: () => clearTimeout(handle) };
  }
}

/** A clock that stands still until `advance`. */
export class VirtualClock implements Clock {
  #now = Date.now();
  readonly #timers = new Set<Timer & { readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  at(due: number, callback: () => void): Timer {
    const timer = { due, callback, cancel: (): void => void this.#timers.delete(timer) };
    this.#timers.add(timer);
    return timer;
  }

  /** Moves time on, running what comes due in order, each at its own time. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
    }
    this.#now = end;
  }

  #next(end: number): (Timer & { readonly callback: () => void }) | undefined {
    let first;
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}
