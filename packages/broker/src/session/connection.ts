import type { Socket } from 'node:net';
import { methodIds, readMethod, type Method } from '../amqp/codec.js';
import { FrameParser, HEARTBEAT_FRAME, METHOD_FRAME, type Frame } from '../amqp/frame-parser.js';
import { Reader } from '../amqp/reader.js';
import { AmqpError, type ReplyName } from '../amqp/replies.js';
import type { Queue } from '../queue/queue.js';
import type { VirtualHost } from '../virtual-host.js';
import { Channel } from './channel.js';
import { Handshake, type Agreement, type HandshakeTerms } from './handshake.js';
import { startHeartbeat } from './heartbeat.js';
import { Output } from './output.js';
import type { SessionHost } from './session-host.js';

const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
// What RabbitMQ also takes: 0-9 without the revision.
const OLD_PROTOCOL_HEADER = Buffer.from('AMQP\x01\x01\0\x09', 'latin1');
const HANDSHAKE_TIMEOUT = 10_000;
// How long a client may take to answer connection.close.
const CLOSE_TIMEOUT = 5_000;
const NO_METHOD = { classId: 0, methodId: 0 };

type State = 'header' | 'handshake' | 'running' | 'closing' | 'closed';

/** One client, from its protocol header to the end of its socket. */
export class Connection {
  readonly id: string;
  readonly name: string;
  readonly connectedAt: number = Date.now();
  readonly channels: Map<number, Channel> = new Map();
  readonly exclusiveQueues: Set<Queue> = new Set();
  readonly host: SessionHost;
  readonly output: Output;
  readonly #socket: Socket;
  readonly #parser: FrameParser;
  readonly #handshake: Handshake;
  #state: State = 'header';
  #virtualHost: VirtualHost | undefined;
  #octetsReceived = 0;
  #heldPublish: { readonly channel: Channel; readonly method: Method } | undefined;
  #toldBlocked = false;
  #frozen = false;
  #stopHeartbeat: () => void = () => {};
  #timeout: NodeJS.Timeout;

  constructor(socket: Socket, host: SessionHost, terms: HandshakeTerms) {
    this.#socket = socket;
    this.host = host;
    this.id = `${socket.remoteAddress}:${socket.remotePort}`;
    this.name = `${this.id} -> ${socket.localAddress}:${socket.localPort}`;
    this.#parser = new FrameParser(terms.frameMin);
    this.output = new Output(socket, { flushing: () => this.#flushConfirms(), drained: () => this.#drained() });
    this.#handshake = new Handshake(terms, {
      start: (args) => this.output.method(0, 'connection.start', args),
      tune: (args) => this.output.method(0, 'connection.tune', args),
      openOk: () => this.output.method(0, 'connection.open-ok', {}),
      abort: () => this.abort(),
    });
    this.#timeout = setTimeout(() => this.abort(), HANDSHAKE_TIMEOUT);
    socket.on('data', (chunk) => this.#receive(chunk));
    // The socket's own error is followed by 'close', which is where a connection ends.
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
  }

  get agreement(): Agreement {
    return this.#handshake.agreement;
  }

  get virtualHost(): VirtualHost {
    return this.#virtualHost as VirtualHost;
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  get blocked(): boolean {
    return this.#heldPublish !== undefined;
  }

  has(capability: string): boolean {
    return this.agreement.capabilities.has(capability);
  }

  /** Ends it as a fault of nobody's making: without a word. */
  abort(): void {
    this.#socket.destroy();
  }

  /** Ends it by the operator's hand (https://www.rabbitmq.com/docs/connections#error-handling). */
  forceClose(reason: string, reply: ReplyName = 'CONNECTION_FORCED'): void {
    if (this.running) this.#close(new AmqpError(reply, reason, 'connection'), NO_METHOD);
    else this.abort();
  }

  /** Stops or resumes reading and writing altogether. */
  set frozen(frozen: boolean) {
    this.#frozen = frozen;
    this.output.frozen = frozen;
    this.#readOn();
  }

  /** The memory alarm is over. */
  unblock(): void {
    const held = this.#heldPublish;
    if (held === undefined) return;
    this.#heldPublish = undefined;
    if (this.#toldBlocked) this.output.method(0, 'connection.unblocked', {});
    this.#toldBlocked = false;
    this.#guard(held.channel.number, () => held.channel.method(held.method), held.method);
    this.#readOn();
  }

  #receive(chunk: Buffer): void {
    this.#octetsReceived += chunk.length;
    this.#parser.push(chunk);
    this.#work();
  }

  get #paused(): boolean {
    return this.#frozen || this.blocked || this.output.overloaded;
  }

  #readOn(): void {
    if (this.#paused) return;
    this.#socket.resume();
    this.#work();
  }

  #drained(): void {
    for (const channel of this.channels.values()) channel.resumeDeliveries();
    this.#readOn();
  }

  #work(): void {
    if (this.#state === 'header' && !this.#readHeader()) return;
    let more = true;
    while (more && this.#state !== 'closed' && !this.#paused) {
      this.#guard(0, () => {
        const frame = this.#parser.next();
        if (frame === undefined) more = false;
        else this.#frame(frame);
      });
    }
    if (this.#paused) this.#socket.pause();
  }

  #readHeader(): boolean {
    const header = this.#parser.take(PROTOCOL_HEADER.length);
    if (header === undefined) return false;
    if (header.equals(PROTOCOL_HEADER) || header.equals(OLD_PROTOCOL_HEADER)) {
      this.#state = 'handshake';
      this.#handshake.start();
      return true;
    }
    // A wrong header is answered with the right one (specification 4.2.2).
    this.#socket.end(PROTOCOL_HEADER);
    this.#state = 'closed';
    return false;
  }

  #frame(frame: Frame): void {
    if (frame.type === HEARTBEAT_FRAME) {
      if (frame.channel !== 0) throw new AmqpError('UNEXPECTED_FRAME', `type 8, all octets = <<>>`);
      return;
    }
    const method = frame.type === METHOD_FRAME ? readMethod(new Reader(frame.buffer, frame.start, frame.end)) : undefined;
    if (frame.type === METHOD_FRAME && method === undefined) return this.abort();
    return this.#guard(frame.channel, () => this.#dispatch(frame, method), method);
  }

  #dispatch(frame: Frame, method: Method | undefined): void {
    if (this.#state === 'closing') return this.#whileClosing(method);
    if (this.#state === 'handshake') return this.#negotiate(frame.channel, method);
    if (frame.channel === 0) return this.#connectionMethod(method);
    const channel = this.channels.get(frame.channel) ?? this.#openChannel(frame.channel, method);
    if (channel === undefined) return undefined;
    if (method === undefined) return channel.content(frame);
    if (method.name === 'basic.publish' && this.host.memory.alarm !== undefined) return this.#hold(channel, method);
    return channel.method(method);
  }

  /** A publish during an alarm waits, and everything behind it with it (https://www.rabbitmq.com/docs/connection-blocked). */
  #hold(channel: Channel, method: Method): void {
    this.#heldPublish = { channel, method };
    if (!this.has('connection.blocked')) return;
    this.#toldBlocked = true;
    this.output.method(0, 'connection.blocked', { reason: this.host.memory.alarm ?? '' });
  }

  #negotiate(channel: number, method: Method | undefined): void {
    if (channel !== 0 || method === undefined) return this.abort();
    if (!this.#handshake.accept(method)) return undefined;
    const { agreement } = this;
    this.#state = 'running';
    clearTimeout(this.#timeout);
    this.#virtualHost = this.host.virtualHost(agreement.virtualHost);
    this.#parser.frameMax = agreement.frameMax;
    this.output.frameMax = agreement.frameMax;
    this.#startHeartbeat(agreement.heartbeat);
    return undefined;
  }

  #startHeartbeat(seconds: number): void {
    const [received, sent, paused] = [() => this.#octetsReceived, () => this.output.sent, () => this.#paused];
    this.#stopHeartbeat = startHeartbeat(seconds, {
      get octetsReceived() {
        return received();
      },
      get octetsSent() {
        return sent();
      },
      get paused() {
        return paused();
      },
      beat: () => this.output.heartbeat(),
      silent: () => this.abort(),
    });
  }

  #connectionMethod(method: Method | undefined): void {
    if (method?.name === 'connection.close') {
      this.#endSession();
      this.output.method(0, 'connection.close-ok', {});
      this.#finish();
    } else if (method?.name === 'connection.update-secret') {
      this.output.method(0, 'connection.update-secret-ok', {});
    } else {
      throw new AmqpError('CHANNEL_ERROR', 'unexpected method in connection state running');
    }
  }

  #whileClosing(method: Method | undefined): void {
    if (method?.name === 'connection.close') this.output.method(0, 'connection.close-ok', {});
    if (method?.name === 'connection.close' || method?.name === 'connection.close-ok') this.#finish();
  }

  #openChannel(number: number, method: Method | undefined): Channel | undefined {
    // The answer to a close that crossed the client's own.
    if (method?.name === 'channel.close-ok') return undefined;
    if (method?.name !== 'channel.open') throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
    const { channelMax } = this.agreement;
    if (channelMax > 0 && this.channels.size >= channelMax) {
      throw new AmqpError('NOT_ALLOWED', `number of channels opened (${this.channels.size}) has reached the negotiated channel_max (${channelMax})`);
    }
    const channel = new Channel(number, this);
    this.channels.set(number, channel);
    this.output.method(number, 'channel.open-ok', {});
    return undefined;
  }

  /** Turns what goes wrong into the close of the channel or of the connection. */
  #guard(channelNumber: number, work: () => void, method?: Method): void {
    try {
      work();
    } catch (error) {
      const refusal = error instanceof AmqpError ? error : new AmqpError('INTERNAL_ERROR', error instanceof Error ? error.message : 'unknown');
      const channel = this.channels.get(channelNumber);
      const ids = channel?.contentIds ?? (method === undefined ? NO_METHOD : methodIds(method.name));
      if (refusal.scope === 'channel' && channel !== undefined) channel.fail(refusal, ids);
      else this.#close(refusal, ids);
    }
  }

  #close(error: AmqpError, ids: { classId: number; methodId: number }): void {
    if (this.#state === 'closing') return;
    this.#endSession();
    this.#state = 'closing';
    this.output.method(0, 'connection.close', { replyCode: error.replyCode, replyText: error.replyText, ...ids });
    clearTimeout(this.#timeout);
    this.#timeout = setTimeout(() => this.abort(), CLOSE_TIMEOUT);
  }

  #flushConfirms(): void {
    for (const channel of this.channels.values()) channel.confirms?.flush();
  }

  #finish(): void {
    this.output.flush();
    this.#state = 'closed';
    this.#socket.end();
  }

  /** Gives everything back: consumers first, so that none of them gets what another one of them returns. */
  #endSession(): void {
    this.#flushConfirms();
    const channels = [...this.channels.values()];
    this.channels.clear();
    for (const channel of channels) channel.stopConsuming();
    for (const channel of channels) channel.end();
    for (const queue of this.exclusiveQueues) this.virtualHost.deleteQueue(queue);
    this.exclusiveQueues.clear();
  }

  #ended(): void {
    this.#endSession();
    this.#state = 'closed';
    this.#stopHeartbeat();
    clearTimeout(this.#timeout);
    this.host.ended(this);
  }
}
