import type { Socket } from 'node:net';
import { methodIds, readMethod, type Method } from '../amqp/codec.js';
import { HEARTBEAT_FRAME, METHOD_FRAME, type Frame } from '../amqp/frame-parser.js';
import { Reader } from '../amqp/reader.js';
import { AmqpError, type ReplyName } from '../amqp/replies.js';
import type { Queue } from '../queue/queue.js';
import type { VirtualHost } from '../virtual-host.js';
import type { Channel } from './channel.js';
import { Channels } from './channels.js';
import { Handshake, type Agreement, type HandshakeTerms } from './handshake.js';
import { startHeartbeat } from './heartbeat.js';
import { Input, PROTOCOL_HEADER } from './input.js';
import { Output } from './output.js';
import type { SessionHost } from './session-host.js';

const HANDSHAKE_TIMEOUT = 10_000;
// How long a client may take to answer connection.close.
const CLOSE_TIMEOUT = 5_000;
const NO_METHOD = { classId: 0, methodId: 0 };

type State = 'handshake' | 'running' | 'closing' | 'closed';

/** One client, from its protocol header to the end of its socket. */
export class Connection {
  readonly id: string;
  readonly name: string;
  readonly connectedAt: number = Date.now();
  readonly channels: Channels = new Channels(this);
  readonly exclusiveQueues: Set<Queue> = new Set();
  readonly host: SessionHost;
  readonly output: Output;
  readonly #socket: Socket;
  readonly #input: Input;
  readonly #handshake: Handshake;
  #state: State = 'handshake';
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
    this.output = new Output(socket, { flushing: () => this.channels.flushConfirms(), drained: () => this.#drained() });
    this.#handshake = new Handshake(terms, this.output, () => this.abort());
    this.#input = new Input(socket, terms.frameMin, {
      paused: () => this.paused,
      header: (supported) => this.#greet(supported),
      frame: (frame) => this.#frame(frame),
      malformed: (error) => this.#refuse(error, 0, undefined),
    });
    this.#timeout = setTimeout(() => this.abort(), HANDSHAKE_TIMEOUT);
    // The socket's own error is followed by 'close', which is where a connection ends.
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
  }

  get agreement(): Agreement {
    return this.#handshake.agreement;
  }

  get virtualHost(): VirtualHost {
    return this.host.virtualHost(this.agreement.virtualHost);
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  /** It published during an alarm. */
  get blocked(): boolean {
    return this.#heldPublish !== undefined;
  }

  /** Nothing is read from it at present. */
  get paused(): boolean {
    return this.#frozen || this.blocked || this.output.overloaded;
  }

  has(capability: string): boolean {
    return this.agreement.capabilities.has(capability);
  }

  /** Ends it without a word. */
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
    this.#input.resume();
  }

  /** The alarm is over: what was held back is done first. */
  unblock(): void {
    const held = this.#heldPublish;
    if (held === undefined) return;
    this.#heldPublish = undefined;
    if (this.#toldBlocked) this.output.method(0, 'connection.unblocked', {});
    this.#toldBlocked = false;
    held.channel.method(held.method);
    this.#input.resume();
  }

  #drained(): void {
    this.channels.resumeDeliveries();
    this.#input.resume();
  }

  /** A wrong header is answered with the right one (specification 4.2.2). */
  #greet(supported: boolean): void {
    if (supported) return this.#handshake.start();
    this.output.raw(PROTOCOL_HEADER);
    return this.#finish();
  }

  #frame(frame: Frame): void {
    let method: Method | undefined;
    try {
      if (frame.type === HEARTBEAT_FRAME) return checkHeartbeat(frame);
      if (frame.type === METHOD_FRAME) {
        method = readMethod(new Reader(frame.buffer, frame.start, frame.end));
        if (method === undefined) return this.abort();
      }
      return this.#dispatch(frame, method);
    } catch (error) {
      return this.#refuse(error, frame.channel, method);
    }
  }

  #dispatch(frame: Frame, method: Method | undefined): void {
    if (this.#state === 'closing') return this.#whileClosing(method);
    if (this.#state === 'handshake') return this.#negotiate(frame.channel, method);
    if (frame.channel === 0) return this.#connectionMethod(method);
    const channel = this.channels.get(frame.channel);
    if (channel === undefined) {
      if (method?.name === 'channel.open') return this.channels.open(frame.channel);
      // The answer to a close that crossed the client's own.
      if (method?.name === 'channel.close-ok') return undefined;
      throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
    }
    if (method === undefined) return channel.content(frame);
    if (method.name === 'basic.publish' && this.host.memory.alarm !== undefined) return this.#hold(channel, method);
    return channel.method(method);
  }

  /** A publish during an alarm waits, and everything behind it with it (https://www.rabbitmq.com/docs/connection-blocked). */
  #hold(channel: Channel, method: Method): void {
    this.#heldPublish = { channel, method };
    this.#toldBlocked = this.has('connection.blocked');
    if (this.#toldBlocked) this.output.method(0, 'connection.blocked', { reason: this.host.memory.alarm ?? '' });
  }

  #negotiate(channel: number, method: Method | undefined): void {
    if (channel !== 0 || method === undefined) return this.abort();
    if (!this.#handshake.accept(method)) return undefined;
    const { frameMax, heartbeat } = this.agreement;
    this.#state = 'running';
    clearTimeout(this.#timeout);
    this.#input.frameMax = frameMax;
    this.output.frameMax = frameMax;
    const [input, output] = [this.#input, this.output];
    this.#stopHeartbeat = startHeartbeat(heartbeat, { input, output, paused: () => this.paused, abort: () => this.abort() });
    return undefined;
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

  /** Turns what went wrong into the close of the channel or of the connection. */
  #refuse(error: unknown, channelNumber: number, method: Method | undefined): void {
    const refusal =
      error instanceof AmqpError ? error : new AmqpError('INTERNAL_ERROR', error instanceof Error ? error.message : 'unknown');
    const channel = this.channels.get(channelNumber);
    // A refused login is about no method (https://www.rabbitmq.com/docs/auth-notification).
    const about = refusal.reply === 'ACCESS_REFUSED' && !this.running ? undefined : method;
    const ids = channel?.contentIds ?? (about === undefined ? NO_METHOD : methodIds(about.name));
    if (refusal.scope === 'channel' && channel !== undefined) channel.fail(refusal, ids);
    else this.#close(refusal, ids);
  }

  #close(error: AmqpError, ids: { classId: number; methodId: number }): void {
    if (this.#state === 'closing') return;
    this.#endSession();
    this.#state = 'closing';
    this.output.method(0, 'connection.close', { replyCode: error.replyCode, replyText: error.replyText, ...ids });
    clearTimeout(this.#timeout);
    this.#timeout = setTimeout(() => this.abort(), CLOSE_TIMEOUT);
  }

  #finish(): void {
    this.output.flush();
    this.#state = 'closed';
    this.#input.end();
    this.#socket.end();
  }

  #endSession(): void {
    this.channels.flushConfirms();
    this.channels.end();
    for (const queue of this.exclusiveQueues) this.virtualHost.deleteQueue(queue);
    this.exclusiveQueues.clear();
  }

  #ended(): void {
    this.#endSession();
    this.#state = 'closed';
    this.#input.end();
    this.#stopHeartbeat();
    clearTimeout(this.#timeout);
    this.host.ended(this);
  }
}

function checkHeartbeat({ channel }: Frame): void {
  if (channel !== 0) throw new AmqpError('UNEXPECTED_FRAME', 'type 8, all octets = <<>>');
}
