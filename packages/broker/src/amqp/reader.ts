import { AmqpError } from './replies.js';

/** Reads AMQP's primitive types (specification 4.2.1) from a part of a buffer. Reading past its end is SYNTAX_ERROR. */
export class Reader {
  #buffer: Buffer;
  #end: number;
  offset: number;

  constructor(buffer: Buffer, offset = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.offset = offset;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.offset;
  }

  octet(): number {
    return this.#buffer[this.#advance(1)] as number;
  }

  short(): number {
    return this.#buffer.readUInt16BE(this.#advance(2));
  }

  long(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  /** As a number: delivery tags and body sizes stay far below 2^53. */
  longlong(): number {
    return this.long() * 0x1_0000_0000 + this.long();
  }

  /** As a bigint: timestamps and 64-bit table values keep every bit. */
  timestamp(): bigint {
    return this.#buffer.readBigUInt64BE(this.#advance(8));
  }

  int8(): number {
    return this.#buffer.readInt8(this.#advance(1));
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#advance(8));
  }

  float(): number {
    return this.#buffer.readFloatBE(this.#advance(4));
  }

  double(): number {
    return this.#buffer.readDoubleBE(this.#advance(8));
  }

  shortstr(): string {
    const length = this.octet();
    const start = this.#advance(length);
    return this.#buffer.toString('utf8', start, start + length);
  }

  /** A view, not a copy. */
  longstr(): Buffer {
    return this.bytes(this.long());
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#buffer.subarray(start, start + length);
  }

  /** A reader of the next `length` octets. */
  part(length: number): Reader {
    const start = this.#advance(length);
    return new Reader(this.#buffer, start, start + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): number {
    const start = this.offset;
    if (length > this.#end - start) throw new AmqpError('SYNTAX_ERROR', 'arguments end too early');
    this.offset = start + length;
    return start;
  }
}
