import type { Socket } from 'node:net';
import type { Arguments } from '../amqp/codec.js';
import { FrameWriter, type Content } from '../amqp/frame-writer.js';
import type { MethodName } from '../amqp/methods.js';

// Deliveries to a connection pause while this much waits to be sent, and reading from it while even more does.
const DELIVERY_LIMIT = 1024 * 1024;
const READING_LIMIT = 16 * 1024 * 1024;

export interface OutputEvents {
  /** The last chance to add something before this turn's octets are written. */
  flushing(): void;
  /** There is room again. */
  drained(): void;
}

/** What goes out on a connection: collected during a turn of the event loop, then written in one piece. */
export class Output {
  /** Octets sent since the connection began. */
  sent = 0;
  readonly #frames = new FrameWriter();
  readonly #socket: Socket;
  readonly #events: OutputEvents;
  #scheduled = false;
  #stalled = false;
  #frozen = false;

  constructor(socket: Socket, events: OutputEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('drain', () => this.#resume());
  }

  set frameMax(octets: number) {
    this.#frames.frameMax = octets;
  }

  /** Nothing is written while frozen. */
  set frozen(frozen: boolean) {
    this.#frozen = frozen;
    if (!frozen) this.schedule();
  }

  raw(octets: Buffer): void {
    this.#frames.raw(octets);
    this.schedule();
  }

  method<M extends MethodName>(channel: number, name: M, args: Arguments<M>): void {
    this.#frames.method(channel, name, args);
    this.schedule();
  }

  /** A method with a message behind it. */
  message<M extends MethodName>(channel: number, { name, args }: { name: M; args: Arguments<M> }, content: Content): void {
    this.#frames.method(channel, name, args);
    this.#frames.content(channel, content);
    this.schedule();
  }

  heartbeat(): void {
    this.#frames.heartbeat();
    this.flush();
  }

  /** Too much waits for deliveries to go on; `drained` comes when there is room. */
  get congested(): boolean {
    return this.#over(DELIVERY_LIMIT);
  }

  /** Far too much waits, so that no more requests should be read; `drained` comes when there is room. */
  get overloaded(): boolean {
    return this.#over(READING_LIMIT);
  }

  /** Flushes at the end of this turn of the event loop. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    this.#events.flushing();
    if (this.#frozen || this.#frames.length === 0 || !this.#socket.writable) return;
    this.sent += this.#frames.length;
    const pieces = this.#frames.take();
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
    this.#resume();
  }

  #over(limit: number): boolean {
    const over = this.#frames.length + this.#socket.writableLength > limit;
    if (over) this.#stalled = true;
    return over;
  }

  #resume(): void {
    if (!this.#stalled || this.congested) return;
    this.#stalled = false;
    this.#events.drained();
  }
}
