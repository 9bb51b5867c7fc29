import type { Channel, GetMessage } from 'amqplib';
import { channelFailure } from '@warren/core';
import type { Broker } from '../broker/broker.js';

/**
 * Takes the messages that a queue holds, in their order. Those that are not acknowledged go back to their places when it ends:
 * by one nack, or by the broker, however this process ends. Only their tags are held, so that a queue may be of any length.
 */
export class QueueReader implements AsyncDisposable {
  /** Ready when it began; it takes no more than these, so that what comes meanwhile stays out of it. */
  readonly count: number;
  readonly #broker: Broker;
  readonly #channel: Channel;
  readonly #queue: string;
  #taken = 0;

  private constructor(queue: string, { broker, channel, count }: { broker: Broker; channel: Channel; count: number }) {
    this.#queue = queue;
    this.#broker = broker;
    this.#channel = channel;
    this.count = count;
  }

  /** Rejects as `Broker.queue`. */
  static async open(broker: Broker, queue: string): Promise<QueueReader> {
    const { messageCount } = await broker.queue(queue);
    return new QueueReader(queue, { broker, channel: await broker.channel(), count: messageCount });
  }

  /** How many were taken so far. */
  get taken(): number {
    return this.#taken;
  }

  async *messages(): AsyncGenerator<GetMessage> {
    while (this.#taken < this.count) {
      const message = await this.#call((channel) => channel.get(this.#queue));
      // Somebody else has taken the rest.
      if (!message) return;
      this.#taken++;
      yield message;
    }
  }

  /** Removes a message from the queue. Throws where the channel has closed: the broker has taken all back. */
  ack(message: GetMessage): void {
    try {
      this.#channel.ack(message);
    } catch (error) {
      throw channelFailure(error, `Queue "${this.#queue}"`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#channel.nackAll(true);
      await this.#call((channel) => channel.close());
    } catch {
      // The channel has closed before, and with it all went back.
    }
  }

  #call<T>(call: (channel: Channel) => Promise<T>): Promise<T> {
    return this.#broker.call(`Queue "${this.#queue}"`, call, this.#channel);
  }
}
