// Many messages from lines of JSON: streamed, a bounded number in flight, every line that is not published told with its number.
import { UsageError } from '../errors.js';
import type { Source } from './body.js';
import { linesOf } from './lines.js';
import type { Line } from './lines.js';
import { Pace } from './rate.js';
import type { Target } from './target.js';
import type { Progress } from './progress.js';
import { Window } from './window.js';

/** Unconfirmed at a time; more does not make a broker faster. */
const IN_FLIGHT = { messages: 500, bytes: 64 * 2 ** 20 };

export interface BulkOptions {
  readonly target: Target;
  readonly source: Source;
  /** Milliseconds between messages; undefined is as fast as the broker confirms. */
  readonly interval: number | undefined;
  readonly maxLineBytes: number;
  /** Ends the reading; what is in flight is finished. */
  readonly signal: AbortSignal;
  /** Called with each line that could not be published. */
  readonly onInvalid: (line: number, error: unknown) => void;
}

export class Bulk {
  readonly #options: BulkOptions;
  readonly #inFlight = new Window(IN_FLIGHT);
  readonly #began = performance.now();
  #published = 0;
  #invalid = 0;
  #empty = 0;
  #bytes = 0;
  #lastLine = 0;

  constructor(options: BulkOptions) {
    this.#options = options;
  }

  get progress(): Progress & { readonly empty: number; readonly lastLine: number } {
    const elapsed = performance.now() - this.#began;
    const totalBytes = this.#options.source.bytes;
    return {
      published: this.#published,
      invalid: this.#invalid,
      empty: this.#empty,
      bytes: this.#bytes,
      totalBytes,
      elapsed,
      lastLine: this.#lastLine,
    };
  }

  /** Resolves when every line is confirmed or counted as invalid, or the signal has ended the reading. */
  async run(): Promise<void> {
    const { signal, interval } = this.#options;
    const pace = interval === undefined ? undefined : new Pace(interval);
    for await (const line of linesOf(this.#read(), this.#options.maxLineBytes)) {
      await pace?.turn(signal);
      if (signal.aborted) break;
      this.#lastLine = line.number;
      if (line.bytes?.toString().trim() === '') this.#empty++;
      else await this.#inFlight.add(this.#publish(line), line.bytes?.length ?? 0);
    }
    await this.#inFlight.empty();
  }

  /** The source's chunks, counted; ends when the signal aborts, also where the source is silent. */
  async *#read(): AsyncGenerator<Buffer> {
    const { source, signal } = this.#options;
    const destroy = (): void => void source.stream.destroy();
    signal.addEventListener('abort', destroy, { once: true });
    try {
      for await (const chunk of source.stream as AsyncIterable<Buffer>) {
        this.#bytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', destroy);
    }
  }

  async #publish({ number, bytes }: Line): Promise<void> {
    const { target, maxLineBytes, onInvalid } = this.#options;
    try {
      if (!bytes) throw new UsageError(`longer than ${maxLineBytes} bytes`);
      await target.publish(bytes);
      this.#published++;
    } catch (error) {
      this.#invalid++;
      onInvalid(number, error);
    }
  }
}
