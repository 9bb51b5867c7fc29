import { writeMethod, type Arguments } from './codec.js';
import { BODY_FRAME, FRAME_END, FRAME_OVERHEAD, HEADER_FRAME, HEARTBEAT_FRAME, METHOD_FRAME } from './frame-parser.js';
import type { MethodName } from './methods.js';
import { Writer } from './writer.js';

const BASIC_CLASS = 60;

// Bodies from this size on are given to the socket as they lie in memory instead of being copied.
const COPY_LIMIT = 8 * 1024;

/** A message's content: the octets of its properties, then its body. */
export interface Content {
  readonly content: Buffer;
  /** Where the body begins. */
  readonly bodyStart: number;
}

/** Writes frames and collects them until `take`. */
export class FrameWriter {
  /** The negotiated largest frame; 0 is no limit. */
  frameMax = 0;
  #writer = new Writer();
  #pieces: Buffer[] = [];
  #piecesLength = 0;

  /** Octets collected since the last `take`. */
  get length(): number {
    return this.#piecesLength + this.#writer.length;
  }

  take(): Buffer[] {
    if (this.#writer.length > 0) this.#pieces.push(this.#writer.take());
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesLength = 0;
    return pieces;
  }

  raw(octets: Buffer): void {
    this.#writer.bytes(octets, 0, octets.length);
  }

  method<M extends MethodName>(channel: number, name: M, args: Arguments<M>): void {
    this.#head(METHOD_FRAME, channel);
    this.#writer.sized(() => writeMethod(this.#writer, name, args));
    this.#writer.octet(FRAME_END);
  }

  /** The content header and as many body frames as the negotiated frame size asks for (specification 4.2.6). */
  content(channel: number, { content, bodyStart }: Content): void {
    const writer = this.#writer;
    this.#head(HEADER_FRAME, channel);
    writer.long(bodyStart + 12);
    writer.short(BASIC_CLASS);
    writer.short(0);
    writer.longlong(content.length - bodyStart);
    writer.bytes(content, 0, bodyStart);
    writer.octet(FRAME_END);
    const most = this.frameMax === 0 ? content.length : this.frameMax - FRAME_OVERHEAD;
    for (let from = bodyStart; from < content.length; from += most) {
      this.#body(channel, content, from, Math.min(from + most, content.length));
    }
  }

  heartbeat(): void {
    this.#head(HEARTBEAT_FRAME, 0);
    this.#writer.long(0);
    this.#writer.octet(FRAME_END);
  }

  #body(channel: number, content: Buffer, from: number, to: number): void {
    this.#head(BODY_FRAME, channel);
    this.#writer.long(to - from);
    if (to - from < COPY_LIMIT) {
      this.#writer.bytes(content, from, to);
    } else {
      this.#piece(this.#writer.take());
      this.#piece(content.subarray(from, to));
    }
    this.#writer.octet(FRAME_END);
  }

  #piece(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#piecesLength += piece.length;
  }

  #head(type: number, channel: number): void {
    this.#writer.octet(type);
    this.#writer.short(channel);
  }
}
