import { AmqpError } from './replies.js';

export const METHOD_FRAME = 1;
export const HEADER_FRAME = 2;
export const BODY_FRAME = 3;
export const HEARTBEAT_FRAME = 8;
export const FRAME_END = 0xce;

/** Octets around a payload: type, channel, size and the end marker. */
export const FRAME_OVERHEAD = 8;

const FRAME_HEAD = 7;
const FRAME_TYPES = new Set([METHOD_FRAME, HEADER_FRAME, BODY_FRAME, HEARTBEAT_FRAME]);

/** A frame's payload as a range of a buffer. A body frame comes in as many parts as it was received in, without copying. */
export interface Frame {
  type: number;
  channel: number;
  buffer: Buffer;
  start: number;
  end: number;
}

/** Cuts the stream of a connection into frames (specification 4.2.3): push what was received, then pull while there are frames. */
export class FrameParser {
  /** The negotiated largest frame; 0 is no limit. */
  frameMax: number;
  #buffer: Buffer = Buffer.alloc(0);
  #offset = 0;
  #received: Buffer[] = [];
  #receivedLength = 0;
  #bodyLeft = 0;
  #inBody = false;
  readonly #frame: Frame = { type: 0, channel: 0, buffer: this.#buffer, start: 0, end: 0 };

  constructor(frameMax: number) {
    this.frameMax = frameMax;
  }

  push(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedLength += chunk.length;
  }

  /** The next `length` octets as they are, for the protocol header; undefined when they have not come yet. */
  take(length: number): Buffer | undefined {
    if (!this.#load(length)) return undefined;
    this.#offset += length;
    return this.#buffer.subarray(this.#offset - length, this.#offset);
  }

  /** The next frame, valid until the next call; undefined when more must be received first. */
  next(): Frame | undefined {
    if (this.#inBody) {
      if (this.#bodyLeft > 0) return this.#load(1) ? this.#bodyPart() : undefined;
      if (!this.#load(1)) return undefined;
      this.#checkEnd(BODY_FRAME, this.#offset);
      this.#offset += 1;
      this.#inBody = false;
    }
    if (!this.#load(FRAME_HEAD)) return undefined;
    const type = this.#buffer[this.#offset] as number;
    const size = this.#buffer.readUInt32BE(this.#offset + 3);
    this.#checkHead(type, size);
    this.#frame.type = type;
    this.#frame.channel = this.#buffer.readUInt16BE(this.#offset + 1);
    return type === BODY_FRAME ? this.#startBody(size) : this.#wholeFrame(size);
  }

  #wholeFrame(size: number): Frame | undefined {
    if (!this.#load(size + FRAME_OVERHEAD)) return undefined;
    const start = this.#offset + FRAME_HEAD;
    this.#checkEnd(this.#frame.type, start + size);
    this.#offset = start + size + 1;
    return this.#part(start, start + size);
  }

  #startBody(size: number): Frame {
    this.#offset += FRAME_HEAD;
    this.#inBody = true;
    this.#bodyLeft = size;
    return this.#bodyPart();
  }

  #bodyPart(): Frame {
    const start = this.#offset;
    const end = Math.min(start + this.#bodyLeft, this.#buffer.length);
    this.#bodyLeft -= end - start;
    this.#offset = end;
    return this.#part(start, end);
  }

  #part(start: number, end: number): Frame {
    const frame = this.#frame;
    frame.buffer = this.#buffer;
    frame.start = start;
    frame.end = end;
    return frame;
  }

  /** Makes at least `length` octets readable at the offset, in one piece; false when they have not been received yet. */
  #load(length: number): boolean {
    const rest = this.#buffer.length - this.#offset;
    if (rest >= length) return true;
    if (rest + this.#receivedLength < length) return false;
    const [chunk] = this.#received;
    this.#buffer = rest === 0 && chunk && chunk.length >= length ? this.#nextChunk() : this.#gather(length);
    this.#offset = 0;
    return true;
  }

  #nextChunk(): Buffer {
    const chunk = this.#received.shift() as Buffer;
    this.#receivedLength -= chunk.length;
    return chunk;
  }

  /** Copies no more than `length` octets: a large body behind a head that came in two parts stays where it is. */
  #gather(length: number): Buffer {
    const piece = Buffer.allocUnsafe(length);
    let filled = this.#buffer.copy(piece, 0, this.#offset);
    while (filled < length) {
      const chunk = this.#nextChunk();
      const taken = chunk.copy(piece, filled);
      filled += taken;
      if (taken === chunk.length) continue;
      this.#received.unshift(chunk.subarray(taken));
      this.#receivedLength += chunk.length - taken;
    }
    return piece;
  }

  #checkHead(type: number, size: number): void {
    if (!FRAME_TYPES.has(type)) throw frameError(type, 'unknown_frame');
    const limit = this.frameMax - FRAME_OVERHEAD;
    // RabbitMQ forgives clients that forget to count the frame's own octets (FRAME_SIZE_FUDGE in rabbit_reader).
    if (this.frameMax > 0 && size > this.frameMax) throw frameError(type, `{frame_too_large,${size},${limit}}`);
  }

  #checkEnd(type: number, at: number): void {
    const marker = this.#buffer[at] as number;
    if (marker !== FRAME_END) throw frameError(type, `{invalid_frame_end_marker,${marker}}`);
  }
}

function frameError(type: number, why: string): AmqpError {
  return new AmqpError('FRAME_ERROR', `type ${type}, all octets = <<>>: ${why}`);
}
