import type { Clock, Logger, Message, Publish } from '@warren/core';
import { MessageKeptError } from './errors.js';
import { encode } from './kept-message.js';
import type { Place, SpoolRecords } from './spool-records.js';

export interface SpoolParts {
  readonly records: SpoolRecords;
  /** The publish chain inside the spool. */
  readonly next: Publish;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps messages in the store from before they are sent until it is known what became of them. */
export class Spool {
  readonly #parts: SpoolParts;
  readonly #erasing = new Set<Promise<void>>();
  /** Resolves when all that was given to `publish` until now may be sent. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: SpoolParts) {
    this.#parts = parts;
  }

  /** As `next`. Rejects as the store does where it cannot keep the message, which is not sent then. */
  async publish(message: Message): Promise<void> {
    const place = await this.#keep(message);
    try {
      await this.#parts.next(message);
    } catch (cause) {
      if (this.#closed) throw new MessageKeptError({ messageId: message.properties.messageId ?? '', cause });
      await this.erase(place);
      throw cause;
    }
    await this.erase(place);
  }

  /** Never rejects: what cannot be erased is sent once more, under the same message id. */
  erase(place: Place): Promise<void> {
    const erasing = this.#erase(place).finally(() => this.#erasing.delete(erasing));
    this.#erasing.add(erasing);
    return erasing;
  }

  /** What is unsettled from now on stays for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#erasing);
  }

  /** Messages go on in the order in which they came, whatever order the store answers in. */
  #keep(message: Message): Promise<Place> {
    const { records, clock } = this.#parts;
    const now = clock.now();
    const turn = Promise.all([records.write(encode(message, now), now), this.#turn]).then(([place]) => place);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #erase(place: Place): Promise<void> {
    const { records, logger } = this.#parts;
    try {
      await records.erase(place);
    } catch (error) {
      logger.error(
        { err: error },
        'spool: a message that was settled could not be erased, and will be sent again at the next start',
      );
    }
  }
}
