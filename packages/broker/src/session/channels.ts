import { AmqpError } from '../amqp/replies.js';
import { Channel } from './channel.js';
import type { Connection } from './connection.js';

/** The open channels of one connection. */
export class Channels {
  readonly #connection: Connection;
  readonly #open = new Map<number, Channel>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): Iterator<Channel> {
    return this.#open.values();
  }

  get(number: number): Channel | undefined {
    return this.#open.get(number);
  }

  open(number: number): void {
    const { channelMax } = this.#connection.agreement;
    if (channelMax > 0 && this.size >= channelMax) {
      throw new AmqpError(
        'NOT_ALLOWED',
        `number of channels opened (${this.size}) has reached the negotiated channel_max (${channelMax})`,
      );
    }
    const channel = new Channel(number, this.#connection);
    this.#open.set(number, channel);
    channel.send('channel.open-ok', {});
  }

  remove(number: number): void {
    this.#open.delete(number);
  }

  flushConfirms(): void {
    for (const channel of this) channel.confirms?.flush();
  }

  resumeDeliveries(): void {
    for (const channel of this) channel.resumeDeliveries();
  }

  /** Gives everything back: consumers first, so that none of them gets what another one of them returns. */
  end(): void {
    const channels = [...this];
    this.#open.clear();
    for (const channel of channels) channel.stopConsuming();
    for (const channel of channels) channel.end();
  }
}
