import { connect, type Socket } from 'node:net';
import { readMethod, type Arguments, type Method } from '../src/amqp/codec.js';
import type { FieldTable } from '../src/amqp/field-table.js';
import { bool } from '../src/amqp/fields.js';
import { BODY_FRAME, FrameParser, HEADER_FRAME, HEARTBEAT_FRAME, METHOD_FRAME, type Frame } from '../src/amqp/frame-parser.js';
import { FrameWriter } from '../src/amqp/frame-writer.js';
import { METHODS, type MethodName } from '../src/amqp/methods.js';
import { encodeProperties, readProperties, type Properties } from '../src/amqp/properties.js';
import { Reader } from '../src/amqp/reader.js';

/** Something that a broker sent. */
export interface Received {
  readonly channel: number;
  readonly method: Method;
  properties?: Properties;
  body?: Buffer;
}

/** The arguments that matter to a test; the others are zero, empty or false. */
export type Some<M extends MethodName> = Partial<Arguments<M>>;

const EMPTY = {
  bit: false,
  shortstr: '',
  longstr: Buffer.alloc(0),
  table: new Map(),
  octet: 0,
  short: 0,
  long: 0,
  longlong: 0,
} as const;

export function fill<M extends MethodName>(name: M, args: Some<M>): Arguments<M> {
  const defaults = Object.entries(METHODS[name][2]).map(([field, type]) => [field, EMPTY[type]]);
  return { ...Object.fromEntries(defaults), ...args } as Arguments<M>;
}

/** A client that speaks frames, so that a test sees exactly what a broker sends. */
export class Wire {
  readonly received: Received[] = [];
  readonly socket: Socket;
  closed = false;
  heartbeats = 0;
  readonly #parser = new FrameParser(131_072);
  readonly #writer = new FrameWriter();
  readonly #waiting = new Set<() => void>();
  #partial: { received: Received; left: number; parts: Buffer[] } | undefined;
  #seen = 0;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => this.#receive(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
  }

  /** Connected and with channel 1 open. */
  static async open(url: string, capabilities: readonly string[] = CAPABILITIES): Promise<Wire> {
    const wire = new Wire(Number(new URL(url).port));
    await wire.handshake({ capabilities });
    await wire.call(1, 'channel.open', {});
    return wire;
  }

  async handshake({
    capabilities = CAPABILITIES,
    tune = {},
    login = '\0guest\0guest',
    virtualHost = '/',
  }: HandshakeOptions = {}): Promise<Received | undefined> {
    this.raw(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
    await this.next();
    const clientProperties: FieldTable = new Map([
      ['capabilities', { type: 'F', value: new Map(capabilities.map((name) => [name, bool(true)])) }],
    ]);
    this.send(0, 'connection.start-ok', { clientProperties, mechanism: 'PLAIN', response: Buffer.from(login), locale: 'en_US' });
    const tuned = await this.next();
    if (tuned?.method.name !== 'connection.tune') return tuned;
    const args = { ...tuned.method.args, heartbeat: 0, ...tune };
    this.send(0, 'connection.tune-ok', args);
    this.#writer.frameMax = args.frameMax;
    this.send(0, 'connection.open', { virtualHost });
    return this.next();
  }

  send<M extends MethodName>(channel: number, name: M, args: Some<M>): void {
    this.#writer.method(channel, name, fill(name, args));
    this.#flush();
  }

  publish(
    channel: number,
    args: Some<'basic.publish'>,
    { body = '', ...properties }: Properties & { body?: string | Buffer } = {},
  ): void {
    this.#writer.method(channel, 'basic.publish', fill('basic.publish', args));
    const octets = encodeProperties(properties);
    this.#writer.content(channel, { content: Buffer.concat([octets, Buffer.from(body)]), bodyStart: octets.length });
    this.#flush();
  }

  raw(octets: Buffer): void {
    this.socket.write(octets);
  }

  /** Sends a method and takes the next thing that the broker sends. */
  call<M extends MethodName>(channel: number, name: M, args: Some<M>): Promise<Received | undefined> {
    this.send(channel, name, args);
    return this.next();
  }

  /** The next thing that was not taken yet; undefined when the connection ended instead. */
  async next(): Promise<Received | undefined> {
    await this.until(() => this.received.length > this.#seen || this.closed);
    return this.received[this.#seen++];
  }

  /** The next method of one of these names, skipping others. */
  async nextOf(...names: readonly MethodName[]): Promise<Received | undefined> {
    for (;;) {
      const received = await this.next();
      if (received === undefined || names.includes(received.method.name)) return received;
    }
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  end(): void {
    this.socket.destroy();
  }

  #flush(): void {
    for (const piece of this.#writer.take()) this.socket.write(Buffer.from(piece));
  }

  #receive(chunk: Buffer): void {
    // The answer to a wrong protocol header is no frame.
    if (chunk.toString('latin1', 0, 4) === 'AMQP') return;
    this.#parser.push(chunk);
    for (let frame = this.#parser.next(); frame !== undefined; frame = this.#parser.next()) this.#frame(frame);
    this.#changed();
  }

  #frame({ type, channel, buffer, start, end }: Frame): void {
    const octets = Buffer.from(buffer.subarray(start, end));
    if (type === HEARTBEAT_FRAME) this.heartbeats++;
    if (type === METHOD_FRAME) this.#method({ channel, method: readMethod(new Reader(octets)) as Method });
    if (type === HEADER_FRAME && this.#partial) {
      this.#partial.left = Number(octets.readBigUInt64BE(4));
      this.#partial.received.properties = readProperties(octets.subarray(12));
    }
    if (type === BODY_FRAME && this.#partial) {
      this.#partial.left -= octets.length;
      this.#partial.parts.push(octets);
    }
    if (type !== METHOD_FRAME && this.#partial?.left === 0) {
      const { received, parts } = this.#partial;
      this.#partial = undefined;
      this.received.push({ ...received, body: Buffer.concat(parts) });
    }
  }

  #method(received: Received): void {
    const carries = ['basic.deliver', 'basic.get-ok', 'basic.return'].includes(received.method.name);
    if (carries) this.#partial = { received, left: -1, parts: [] };
    else this.received.push(received);
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
  }
}

export interface HandshakeOptions {
  readonly capabilities?: readonly string[];
  readonly tune?: Some<'connection.tune-ok'>;
  readonly login?: string;
  readonly virtualHost?: string;
}

const CAPABILITIES = [
  'basic.nack',
  'connection.blocked',
  'consumer_cancel_notify',
  'publisher_confirms',
  'authentication_failure_close',
];
