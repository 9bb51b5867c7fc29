// Sends dead letters back to work: copy, confirm, acknowledge. Killed at any moment it loses nothing; what was copied and not yet
// acknowledged is there twice, under the same message id.
import { MessageInvalidError, PublishRefusedError, UnroutableError } from '@warren/core';
import type { OutgoingMessage } from '@warren/core';
import { OriginUnknownError } from '../errors.js';
import { Pace } from '../publish/rate.js';
import { Window } from '../publish/window.js';
import { copyOf } from './copy.js';
import type { CopyOptions } from './copy.js';
import { readLetter } from './letter.js';
import type { DeadLetter } from './letter.js';
import type { QueueReader } from './reader.js';
import type { Selection } from './selection.js';

export interface ReplayOptions extends CopyOptions {
  readonly reader: QueueReader;
  readonly selection: Selection;
  readonly limit: number;
  /** Milliseconds between copies; undefined is as fast as the broker confirms. */
  readonly interval: number | undefined;
  /** Ends the reading; what is in flight is finished. */
  readonly signal: AbortSignal;
  /** Resolves when the broker has confirmed the copy. Undefined is a dry run: what would be sent is counted, and stays. */
  readonly send: ((copy: OutgoingMessage) => Promise<void>) | undefined;
  /** Called with each letter that could not be sent, and stays. */
  readonly onFailed: (letter: DeadLetter, error: unknown) => void;
}

/** What is wrong with one message; anything else would go wrong with the next one too. */
const OF_ONE_LETTER = [OriginUnknownError, UnroutableError, MessageInvalidError, PublishRefusedError] as const;

/** Unconfirmed copies at a time: the most that a kill can leave there twice. */
const IN_FLIGHT = { messages: 100, bytes: 32 * 2 ** 20 };

export class Replay {
  readonly #options: ReplayOptions;
  readonly #window = new Window(IN_FLIGHT);
  readonly #destinations = new Map<string, number>();
  readonly #began = performance.now();
  #selected = 0;
  #replayed = 0;
  #failed = 0;
  #broken: { readonly error: unknown } | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  get progress(): { selected: number; replayed: number; failed: number; elapsed: number; destinations: Record<string, number> } {
    return {
      selected: this.#selected,
      replayed: this.#replayed,
      failed: this.#failed,
      elapsed: performance.now() - this.#began,
      destinations: Object.fromEntries(this.#destinations),
    };
  }

  /** Resolves when all that were there at the start have been looked at, at the limit, or when the signal has ended it. */
  async run(): Promise<void> {
    const { reader, selection, deadLetterQueue, limit, interval, signal } = this.#options;
    const pace = interval === undefined ? undefined : new Pace(interval);
    for await (const message of reader.messages()) {
      const letter = readLetter(message, deadLetterQueue);
      if (selection.holds(letter)) {
        await pace?.turn(signal);
        if (signal.aborted || this.#broken) break;
        this.#selected++;
        await this.#window.add(this.#replay(letter), message.content.length);
      }
      if (this.#selected >= limit || signal.aborted || this.#broken) break;
    }
    await this.#window.empty();
    if (this.#broken) throw this.#broken.error;
  }

  async #replay(letter: DeadLetter): Promise<void> {
    const { reader, send, onFailed } = this.#options;
    try {
      const copy = copyOf(letter, this.#options);
      await send?.(copy);
      if (send) reader.ack(letter.message);
      this.#replayed++;
      this.#destinations.set(copy.routingKey, (this.#destinations.get(copy.routingKey) ?? 0) + 1);
    } catch (error) {
      if (!OF_ONE_LETTER.some((kind) => error instanceof kind)) {
        this.#broken ??= { error };
        return;
      }
      this.#failed++;
      onFailed(letter, error);
    }
  }
}
