const SLAB_SIZE = 64 * 1024;

/** Enough for most tables and records. */
export const SMALL_SLAB_SIZE = 512;

/**
 * Writes AMQP's primitive types (specification 4.2.1) into a slab and gives out what was written as one piece.
 * A slab is never written twice, so a piece may be on its way to a socket while the next one is being written.
 */
export class Writer {
  readonly #slabSize: number;
  #slab: Buffer;
  #start = 0;
  #offset = 0;

  /** A writer for one small thing needs no large slab; any slab grows. */
  constructor(slabSize: number = SLAB_SIZE) {
    this.#slabSize = slabSize;
    this.#slab = Buffer.allocUnsafe(slabSize);
  }

  /** Octets written since the last `take`. */
  get length(): number {
    return this.#offset - this.#start;
  }

  /** What was written since the last `take`. */
  take(): Buffer {
    const piece = this.#slab.subarray(this.#start, this.#offset);
    this.#start = this.#offset;
    return piece;
  }

  octet(value: number): void {
    const at = this.#reserve(1);
    this.#slab[at] = value;
  }

  short(value: number): void {
    const at = this.#reserve(2);
    this.#slab.writeUInt16BE(value, at);
  }

  long(value: number): void {
    const at = this.#reserve(4);
    this.#slab.writeUInt32BE(value, at);
  }

  longlong(value: number): void {
    this.long(Math.floor(value / 0x1_0000_0000));
    this.long(value % 0x1_0000_0000);
  }

  timestamp(value: bigint): void {
    const at = this.#reserve(8);
    this.#slab.writeBigUInt64BE(value, at);
  }

  int8(value: number): void {
    const at = this.#reserve(1);
    this.#slab.writeInt8(value, at);
  }

  int16(value: number): void {
    const at = this.#reserve(2);
    this.#slab.writeInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.#reserve(4);
    this.#slab.writeInt32BE(value, at);
  }

  int64(value: bigint): void {
    const at = this.#reserve(8);
    this.#slab.writeBigInt64BE(value, at);
  }

  float(value: number): void {
    const at = this.#reserve(4);
    this.#slab.writeFloatBE(value, at);
  }

  double(value: number): void {
    const at = this.#reserve(8);
    this.#slab.writeDoubleBE(value, at);
  }

  /** At most 255 octets; what is longer is cut, which only reply texts can be. */
  shortstr(value: string): void {
    const at = this.#reserve(256);
    const length = this.#slab.write(value, at + 1, 255, 'utf8');
    this.#slab[at] = length;
    this.#offset = at + 1 + length;
  }

  longstr(value: Buffer): void {
    this.long(value.length);
    this.bytes(value, 0, value.length);
  }

  bytes(source: Buffer, from: number, to: number): void {
    const at = this.#reserve(to - from);
    source.copy(this.#slab, at, from, to);
  }

  /** Writes what has its own length, a long, in front of it: a table, an array, a frame's payload. Returns that length. */
  sized(write: () => void): number {
    const mark = this.length;
    this.long(0);
    write();
    const length = this.length - mark - 4;
    this.#slab.writeUInt32BE(length, this.#start + mark);
    return length;
  }

  #reserve(length: number): number {
    if (this.#offset + length > this.#slab.length) this.#grow(length);
    const at = this.#offset;
    this.#offset = at + length;
    return at;
  }

  #grow(length: number): void {
    const written = this.length;
    const slab = Buffer.allocUnsafe(Math.max(this.#slabSize, 2 * (written + length)));
    this.#slab.copy(slab, 0, this.#start, this.#offset);
    this.#slab = slab;
    this.#start = 0;
    this.#offset = written;
  }
}
