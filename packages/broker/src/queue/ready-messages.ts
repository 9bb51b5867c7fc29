import { ReadyList, type QueuedMessage } from './ready-list.js';

/** The messages of a queue that nobody has taken yet: by priority, highest first, and in order within each. */
export class ReadyMessages {
  readonly #levels: ReadyList[];
  #size = 0;
  #bodyOctets = 0;

  /** Levels 0 to `maxPriority`; a message above the highest level belongs to the highest. */
  constructor(maxPriority: number) {
    this.#levels = Array.from({ length: maxPriority + 1 }, () => new ReadyList());
  }

  get size(): number {
    return this.#size;
  }

  get bodyOctets(): number {
    return this.#bodyOctets;
  }

  first(): QueuedMessage | undefined {
    return this.#highest()?.first();
  }

  shift(): QueuedMessage | undefined {
    const queued = this.#highest()?.shift();
    if (queued === undefined) return undefined;
    this.#size--;
    this.#bodyOctets -= queued.message.bodySize;
    return queued;
  }

  insert(queued: QueuedMessage): void {
    const level = Math.min(queued.message.priority, this.#levels.length - 1);
    (this.#levels[level] as ReadyList).insert(queued);
    this.#size++;
    this.#bodyOctets += queued.message.bodySize;
  }

  /** In the order in which they would be delivered. */
  *[Symbol.iterator](): Generator<QueuedMessage> {
    for (const list of this.#levels.toReversed()) {
      for (let i = 0; i < list.size; i++) yield list.at(i);
    }
  }

  #highest(): ReadyList | undefined {
    if (this.#size === 0) return undefined;
    for (let level = this.#levels.length - 1; level > 0; level--) {
      if ((this.#levels[level] as ReadyList).size > 0) return this.#levels[level];
    }
    return this.#levels[0];
  }
}
