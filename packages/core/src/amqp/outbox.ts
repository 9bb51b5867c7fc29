// What waits for the broker's confirm: bounded, in order, each with a deadline.
import { PublishBufferFullError, PublishTimeoutError } from '../errors.js';
import type { Message } from '../message.js';
import type { PublishBuffer } from '../options.js';
import { Fifo } from './fifo.js';
import { Gate } from './gate.js';

/** How often deadlines are looked at; milliseconds. */
const SWEEP = 100;

/** A publish that is not settled yet. */
export interface Entry {
  readonly message: Message;
  readonly messageId: string;
  /** Milliseconds; see `deadline`. */
  readonly timeout: number;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** The broker has sent it back: no queue takes it. Its confirm follows. */
  returned: boolean;
  /** Its caller has been answered; it stays until its confirm comes, because confirms are counted. */
  settled: boolean;
  resolve(): void;
  reject(error: Error): void;
}

export class Outbox {
  readonly #buffer: PublishBuffer;
  /** Not sent, or to be sent again; oldest first. */
  #waiting = new Fifo<Entry>();
  readonly #sent = new Set<Entry>();
  #bytes = 0;
  #count = 0;
  #sentBytes = 0;
  #sweeper: NodeJS.Timeout | undefined;
  /** Open while nothing is unsettled. */
  readonly #allSettled = new Gate();

  constructor(buffer: PublishBuffer) {
    this.#buffer = buffer;
  }

  /** Queues a message; the promise is its caller's. */
  add(message: Message, timeout: number): Promise<void> {
    const { messages, bytes, whenFull } = this.#buffer;
    if (whenFull === 'reject' && (this.#count >= messages || this.#bytes + message.content.length > bytes)) {
      return Promise.reject(new PublishBufferFullError({ messages: this.#count, bytes: this.#bytes }));
    }
    this.#allSettled.shut();
    this.#count++;
    this.#bytes += message.content.length;
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP);
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + timeout;
      const messageId = message.properties.messageId ?? '';
      this.#waiting.push({ message, messageId, timeout, deadline, returned: false, settled: false, resolve, reject });
    });
  }

  /** The next to send, which counts as sent from now on; undefined while as much is unconfirmed as may be. */
  next(window: number = Infinity): Entry | undefined {
    if (this.#sent.size >= Math.min(window, this.#buffer.messages) || this.#sentBytes >= this.#buffer.bytes) return undefined;
    const entry = this.#waiting.shift();
    if (!entry) return undefined;
    this.#sent.add(entry);
    this.#sentBytes += entry.message.content.length;
    return entry;
  }

  /** Sent and not confirmed, in the order of sending. */
  get sent(): ReadonlySet<Entry> {
    return this.#sent;
  }

  /** Answers its caller: with an error, or without one. */
  settle(entry: Entry, error?: Error): void {
    if (this.#sent.delete(entry)) this.#sentBytes -= entry.message.content.length;
    this.#answer(entry, error);
    if (this.#count === 0) this.#emptied();
  }

  /** The connection died: what was sent is sent again, before what was not. Returns how much. */
  resend(): number {
    const again = [...this.#sent].filter((entry) => !entry.settled);
    this.#clearSent();
    for (const entry of again) entry.returned = false;
    this.#waiting = new Fifo([...again, ...this.#waiting]);
    return again.length;
  }

  /** Resolves when nothing is unsettled. */
  empty(): Promise<void> {
    return this.#allSettled.passed;
  }

  /** Answers all callers with `error`. */
  fail(error: Error): void {
    for (const entry of [...this.#sent, ...this.#waiting]) this.#answer(entry, error);
    this.#clearSent();
    this.#waiting = new Fifo();
    this.#emptied();
  }

  #clearSent(): void {
    this.#sent.clear();
    this.#sentBytes = 0;
  }

  #answer(entry: Entry, error: Error | undefined): void {
    if (entry.settled) return;
    entry.settled = true;
    this.#count--;
    this.#bytes -= entry.message.content.length;
    if (error) entry.reject(error);
    else entry.resolve();
  }

  #sweep(): void {
    const now = performance.now();
    const late = (entry: Entry): boolean => entry.deadline <= now;
    for (const entry of this.#sent) if (late(entry)) this.#timeOut(entry, true);
    const waiting = [...this.#waiting];
    if (waiting.some(late)) {
      for (const entry of waiting.filter(late)) this.#timeOut(entry, false);
      this.#waiting = new Fifo(waiting.filter((entry) => !late(entry)));
    }
    if (this.#count === 0) this.#emptied();
  }

  #timeOut(entry: Entry, sent: boolean): void {
    this.#answer(entry, new PublishTimeoutError({ messageId: entry.messageId, ms: entry.timeout, sent }));
  }

  #emptied(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    this.#allSettled.open();
  }
}
