import type { Channel, Message } from 'amqplib';

/**
 * The unsettled deliveries of one channel, acknowledged once per turn of the event loop: the longest finished run by one
 * `multiple` ack, the stragglers behind it singly. Delivery tags are numbered from 1 on each channel (AMQP 0-9-1, section 1.8.3.13),
 * so all of this belongs to its channel, and dies with it: the same tag on the next channel is another message.
 */
export class Acknowledgements {
  readonly #channel: Channel;
  /** Tags in the order in which they came: before the first of them everything has ended. */
  readonly #running = new Set<number>();
  /** Ended well, and to be acknowledged. */
  #done: number[] = [];
  #lost = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** True once the channel has closed. */
  get lost(): boolean {
    return this.#lost;
  }

  /** A delivery has come; tags come in order. */
  delivered(tag: number): void {
    this.#running.add(tag);
  }

  ack(tag: number): void {
    if (!this.#ended(tag)) return;
    this.#done.push(tag);
    if (this.#done.length === 1) setImmediate(() => this.#flush());
  }

  requeue(tag: number): void {
    if (this.#ended(tag)) this.#send(() => this.#channel.nack(messageOf(tag), false, true));
  }

  reject(tag: number): void {
    if (this.#ended(tag)) this.#send(() => this.#channel.reject(messageOf(tag), false));
  }

  lose(): void {
    this.#lost = true;
    this.#running.clear();
    this.#done = [];
  }

  /** Sends what is done now, for a channel that is about to close. */
  flush(): void {
    this.#flush();
  }

  /** False where it has been settled before, or is lost. */
  #ended(tag: number): boolean {
    return !this.#lost && this.#running.delete(tag);
  }

  #flush(): void {
    const done = this.#done;
    if (done.length === 0) return;
    this.#done = [];
    const upTo = this.#lastOfRun(done);
    this.#send(() => {
      // The run holds the tag itself, so that it is outstanding: an ack of one that is not closes the channel.
      if (upTo > 0) this.#channel.ack(messageOf(upTo), true);
      for (const tag of done) if (tag > upTo) this.#channel.ack(messageOf(tag));
    });
  }

  /** The last tag that awaits its ack and has nothing running before it, or 0. */
  #lastOfRun(done: readonly number[]): number {
    const [firstRunning = Infinity] = this.#running;
    let last = 0;
    for (const tag of done) if (tag < firstRunning && tag > last) last = tag;
    return last;
  }

  /** The client throws where its channel has closed and not said so yet. */
  #send(write: () => void): void {
    try {
      write();
    } catch {
      this.lose();
    }
  }
}

function messageOf(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message;
}
