import type { Content } from './frame-writer.js';
import { Reader } from './reader.js';
import { AmqpError } from './replies.js';

const BASIC_CLASS = 60;
const HEADER_HEAD = 12;

// A body that is only announced gets no more memory than this; what really comes makes it grow.
const FIRST_ALLOCATION = 1024 * 1024;

/** Puts a content header and its body frames together into one buffer, copying each octet once unless the body is very large. */
export class ContentAssembler implements Content {
  content: Buffer;
  readonly bodyStart: number;
  readonly #total: number;
  #filled: number;

  /** Starts from the payload of a content header frame; a body larger than `maxSize` is refused before it comes. */
  constructor(buffer: Buffer, start: number, end: number, maxSize: number) {
    const reader = new Reader(buffer, start, end);
    if (reader.short() !== BASIC_CLASS) {
      throw new AmqpError('UNEXPECTED_FRAME', 'expected content header for class 60, got one for another class instead');
    }
    reader.skip(2);
    const bodySize = reader.longlong();
    if (bodySize > maxSize)
      throw new AmqpError('PRECONDITION_FAILED', `message size ${bodySize} is larger than configured max size ${maxSize}`);
    this.bodyStart = end - start - HEADER_HEAD;
    this.#total = this.bodyStart + bodySize;
    this.content = Buffer.allocUnsafe(Math.min(this.#total, this.bodyStart + FIRST_ALLOCATION));
    buffer.copy(this.content, 0, start + HEADER_HEAD, end);
    this.#filled = this.bodyStart;
  }

  get complete(): boolean {
    return this.#filled === this.#total;
  }

  body(buffer: Buffer, start: number, end: number): void {
    const filled = this.#filled + end - start;
    if (filled > this.#total) throw new AmqpError('UNEXPECTED_FRAME', 'more body than the content header announced');
    if (filled > this.content.length) this.#grow(filled);
    buffer.copy(this.content, this.#filled, start, end);
    this.#filled = filled;
  }

  #grow(least: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#total, Math.max(least, 2 * this.content.length)));
    this.content.copy(grown, 0, 0, this.#filled);
    this.content = grown;
  }
}
