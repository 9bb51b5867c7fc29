/** What the rotation needs to know of a consumer. */
export interface Taker {
  /** Higher ones are served first (`x-priority`). */
  readonly priority: number;
  /** Its prefetch window and its connection have room. */
  canTake(): boolean;
}

/**
 * Whose turn it is: round robin among the consumers of the highest priority that can take a message. One that cannot leaves the
 * rotation and rejoins at its end (https://www.rabbitmq.com/docs/consumer-priority, "Definition of active consumers").
 */
export class ConsumerRotation<C extends Taker> {
  readonly #all = new Set<C>();
  readonly #singleActive: boolean;
  // By priority, and in order of turns within one.
  #waiting: C[] = [];

  constructor(singleActive: boolean) {
    this.#singleActive = singleActive;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<C> {
    return this.#all.values();
  }

  add(consumer: C): void {
    this.#all.add(consumer);
    this.#enter(consumer);
  }

  remove(consumer: C): void {
    this.#all.delete(consumer);
    this.#waiting = this.#waiting.filter((other) => other !== consumer);
  }

  /** A consumer that had no room may have some now. */
  rejoin(consumer: C): void {
    if (this.#all.has(consumer) && !this.#waiting.includes(consumer)) this.#enter(consumer);
  }

  /** The consumer that gets the next message; undefined when none can take one. */
  next(): C | undefined {
    if (this.#singleActive) return this.#nextOfOne();
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#waiting.length === 1 && first.canTake()) return first;
      this.#waiting.shift();
      if (!first.canTake()) continue;
      this.#enter(first);
      return first;
    }
    return undefined;
  }

  /** Single active consumer: the oldest one gets everything (https://www.rabbitmq.com/docs/consumers#single-active-consumer). */
  #nextOfOne(): C | undefined {
    const [oldest] = this.#all;
    return oldest?.canTake() === true ? oldest : undefined;
  }

  #enter(consumer: C): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1] as C).priority < consumer.priority) at--;
    this.#waiting.splice(at, 0, consumer);
  }
}
