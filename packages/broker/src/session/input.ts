import type { Socket } from 'node:net';
import { FrameParser, type Frame } from '../amqp/frame-parser.js';

export const PROTOCOL_HEADER: Buffer = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
// What RabbitMQ also takes: 0-9 without the revision.
const OLD_PROTOCOL_HEADER = Buffer.from('AMQP\x01\x01\0\x09', 'latin1');

export interface InputEvents {
  /** Whether reading has to wait; `resume` goes on. */
  paused(): boolean;
  /** The client has said which protocol it speaks (specification 4.2.2). */
  header(supported: boolean): void;
  frame(frame: Frame): void;
  /** What has come is not a frame. */
  malformed(error: unknown): void;
}

/** What comes in on a connection: a protocol header, then frames. */
export class Input {
  /** Octets received since the connection began. */
  received = 0;
  readonly #socket: Socket;
  readonly #parser: FrameParser;
  readonly #events: InputEvents;
  #greeted = false;
  #ended = false;

  constructor(socket: Socket, frameMax: number, events: InputEvents) {
    this.#socket = socket;
    this.#parser = new FrameParser(frameMax);
    this.#events = events;
    socket.on('data', (chunk) => {
      if (this.#ended) return;
      this.received += chunk.length;
      this.#parser.push(chunk);
      this.#work();
    });
  }

  set frameMax(octets: number) {
    this.#parser.frameMax = octets;
  }

  /** Nothing that comes from now on matters. */
  end(): void {
    this.#ended = true;
  }

  resume(): void {
    if (this.#events.paused()) return;
    this.#socket.resume();
    this.#work();
  }

  #work(): void {
    if (!this.#greeted && !this.#readHeader()) return;
    while (!this.#ended && !this.#events.paused()) {
      const frame = this.#next();
      if (frame === undefined) return;
      this.#events.frame(frame);
    }
    if (!this.#ended) this.#socket.pause();
  }

  #next(): Frame | undefined {
    try {
      return this.#parser.next();
    } catch (error) {
      this.end();
      this.#events.malformed(error);
      return undefined;
    }
  }

  #readHeader(): boolean {
    const header = this.#parser.take(PROTOCOL_HEADER.length);
    if (header === undefined) return false;
    this.#greeted = true;
    this.#events.header(header.equals(PROTOCOL_HEADER) || header.equals(OLD_PROTOCOL_HEADER));
    return true;
  }
}
