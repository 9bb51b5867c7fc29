import type { Message } from './message.js';

/** A message in one queue. */
export interface QueuedMessage {
  readonly message: Message;
  /** Its place in the queue: requeued messages go back to it. */
  readonly sequence: number;
  /** Milliseconds since the epoch; Infinity is never. */
  readonly expiresAt: number;
  /** It is in the store. */
  readonly stored: boolean;
  redelivered: boolean;
  /** How often it came back after a delivery, and how often that counted towards the delivery limit. */
  acquired: number;
  deliveries: number;
}

const FIRST_CAPACITY = 16;

/** Messages in order of their sequence numbers: a ring buffer, so that both ends are cheap. */
export class ReadyList {
  #ring: Array<QueuedMessage | undefined> = Array.from({ length: FIRST_CAPACITY });
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  first(): QueuedMessage | undefined {
    return this.#ring[this.#head];
  }

  at(index: number): QueuedMessage {
    return this.#ring[this.#slot(index)] as QueuedMessage;
  }

  shift(): QueuedMessage | undefined {
    const first = this.#ring[this.#head];
    if (first === undefined) return undefined;
    this.#ring[this.#head] = undefined;
    this.#head = this.#slot(1);
    if (--this.#size * 8 < this.#ring.length && this.#ring.length > FIRST_CAPACITY) this.#resize(this.#ring.length / 4);
    return first;
  }

  /** Puts a message where its sequence number belongs, which nearly always is one of the ends. */
  insert(queued: QueuedMessage): void {
    if (this.#size === this.#ring.length) this.#resize(this.#ring.length * 2);
    const index = this.#indexOf(queued.sequence);
    if (index < this.#size / 2) {
      this.#head = this.#slot(-1);
      for (let i = 0; i < index; i++) this.#ring[this.#slot(i)] = this.#ring[this.#slot(i + 1)];
    } else {
      for (let i = this.#size; i > index; i--) this.#ring[this.#slot(i)] = this.#ring[this.#slot(i - 1)];
    }
    this.#ring[this.#slot(index)] = queued;
    this.#size++;
  }

  /** How many messages come before this sequence number. */
  #indexOf(sequence: number): number {
    if (this.#size === 0 || this.at(this.#size - 1).sequence < sequence) return this.#size;
    let low = 0;
    let high = this.#size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // The capacity is a power of two, so a mask wraps an index around, negative ones too.
  #slot(index: number): number {
    return (this.#head + index) & (this.#ring.length - 1);
  }

  #resize(capacity: number): void {
    const ring: Array<QueuedMessage | undefined> = Array.from({ length: capacity });
    for (let i = 0; i < this.#size; i++) ring[i] = this.at(i);
    this.#ring = ring;
    this.#head = 0;
  }
}
