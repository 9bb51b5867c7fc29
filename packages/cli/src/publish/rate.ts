import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidOptionError } from '@warren/core';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds between two messages, of `200/s`, `30/m`, `100/h`. */
export function intervalOf(rate: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(rate) ?? [];
  const interval = (UNITS[unit ?? ''] ?? Number.NaN) / Number(count);
  if (Number.isFinite(interval) && interval > 0) return interval;
  throw new InvalidOptionError({ option: '--rate', expected: "a rate such as '200/s', '30/m' or '100/h'", got: rate });
}

/** Milliseconds: what a stall may be made up for by going faster afterwards. */
const CATCH_UP = 100;

/** Lets one message through per interval, on average. */
export class Pace {
  readonly #interval: number;
  #next = performance.now();

  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Resolves when it is the next message's turn. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#next = Math.max(this.#next, now - CATCH_UP);
    const wait = this.#next - now;
    this.#next += this.#interval;
    if (wait >= 1) await sleep(wait, undefined, { signal }).catch(() => {});
  }
}
