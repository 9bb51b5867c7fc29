// A plain connection for operations: no plugins, nothing declared, nothing consumed.
import { connect } from 'amqplib';
import type { Channel, ChannelModel, Replies } from 'amqplib';
import {
  BrokerTimeoutError,
  BrokerUnreachableError,
  capabilitiesOf,
  channelFailure,
  InvalidOptionError,
  redactUrl,
  refusal,
} from '@warren/core';
import type { Capabilities, WorkerOptions } from '@warren/core';

export interface BrokerAddress {
  readonly urls: readonly string[];
  /** Milliseconds for each address. */
  readonly timeout: number;
  /** The socket's options, as the worker's. */
  readonly connect?: WorkerOptions['connect'];
}

export class Broker implements AsyncDisposable {
  /** The address that answered, with its password. */
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #model: ChannelModel;
  /** Ends the socket. */
  readonly #end: AbortController;
  #channel: Channel | undefined;

  private constructor(model: ChannelModel, { url, end }: { readonly url: string; readonly end: AbortController }) {
    this.#model = model;
    this.#end = end;
    this.url = url;
    this.capabilities = capabilitiesOf(model.connection.serverProperties);
  }

  /** Connects to the first address that answers. Throws `ERR_BROKER_UNREACHABLE` or `ERR_BROKER_REFUSED`. */
  static async connect({ urls, timeout, connect: options = {} }: BrokerAddress): Promise<Broker> {
    let cause: unknown;
    for (const url of urls) {
      try {
        const end = new AbortController();
        const socket = { noDelay: true, timeout, ...options, signal: end.signal };
        const model = await connect(url, socket);
        model.on('error', () => {});
        return new Broker(model, { url, end });
      } catch (error) {
        const refused = refusal(error as Error, url);
        if (refused) throw refused;
        cause = error;
      }
    }
    throw new BrokerUnreachableError({ urls: urls.map(redactUrl), ms: timeout, cause });
  }

  /**
   * Runs one call, on a channel of the caller's own where one is given. A refusal closes the channel: the error is the typed one, for
   * `what`, and the next call gets a new channel.
   */
  async call<T>(what: string, call: (channel: Channel) => Promise<T>, own?: Channel): Promise<T> {
    try {
      return await withDeadline(call(own ?? (await this.#shared())), what, CALL_TIMEOUT);
    } catch (error) {
      throw channelFailure(error, what);
    }
  }

  /** The queue's counts. Rejects with `ERR_TOPOLOGY_MISSING` where there is none, and with `ERR_INVALID_OPTION` for what is no name of one. */
  async queue(name: string): Promise<Replies.AssertQueue> {
    if (!isQueueName(name)) throw new InvalidOptionError({ option: 'queue name', expected: 'text of 1 to 255 bytes', got: name });
    return this.call(`Queue "${name}"`, (channel) => channel.checkQueue(name));
  }

  /** A channel for whoever holds deliveries: they end with it. */
  async channel(): Promise<Channel> {
    const channel = await withDeadline(this.#model.createChannel(), 'A channel', CALL_TIMEOUT);
    // The call that is refused says why; without a listener the client would end the connection.
    channel.on('error', () => {});
    return channel;
  }

  async #shared(): Promise<Channel> {
    if (this.#channel) return this.#channel;
    const channel = await this.channel();
    channel.once('close', () => (this.#channel = undefined));
    return (this.#channel = channel);
  }

  /** Cuts the connection where the broker does not answer its end: the process would wait for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await withDeadline(this.#model.close(), 'Closing', CLOSE_TIMEOUT).catch(() => {});
    this.#end.abort();
  }
}

/** Names are short strings (AMQP 0-9-1, section 4.2.5.3); the empty one means the queue that was declared last (queue.declare). */
export function isQueueName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= 255;
}

/** Milliseconds: a blocked or frozen broker does not answer. */
const CALL_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 2_000;

async function withDeadline<T>(call: Promise<T>, operation: string, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BrokerTimeoutError({ operation, ms })), ms);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
