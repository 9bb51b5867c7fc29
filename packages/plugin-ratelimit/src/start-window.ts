import type { Limit } from './limit.js';

/** How many expired starts may stay before the array is cut. */
const SLACK = 64;

/** The starts under one key that a window can still see, oldest first. Sliding: it knows each start's own time, so that no two windows' edges can be played against each other. */
export class StartWindow {
  #starts: number[] = [];
  #head = 0;
  #per = 0;
  #pausedUntil = -Infinity;

  /** Milliseconds until one more start is allowed; 0 is now. Exact: `max` starts ago decides. */
  wait({ max, per }: Limit, now: number): number {
    this.#forget(now, per);
    const paused = Math.max(0, this.#pausedUntil - now);
    if (this.#starts.length - this.#head < max) return paused;
    const leaving = this.#starts[this.#starts.length - max] ?? now;
    return Math.max(paused, leaving + per - now);
  }

  add({ per }: Limit, now: number): void {
    this.#per = per;
    this.#starts.push(now);
  }

  /** Moves the last start to `now`. */
  moveLast(now: number): void {
    if (this.#starts.length > this.#head) this.#starts[this.#starts.length - 1] = now;
  }

  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }

  /** When nothing of it matters any more. */
  get over(): number {
    return Math.max(this.#pausedUntil, (this.#starts.at(-1) ?? -Infinity) + this.#per);
  }

  #forget(now: number, per: number): void {
    this.#per = per;
    while (this.#head < this.#starts.length && (this.#starts[this.#head] ?? now) + per <= now) this.#head++;
    if (this.#head < SLACK || this.#head * 2 < this.#starts.length) return;
    this.#starts = this.#starts.slice(this.#head);
    this.#head = 0;
  }
}
