import type { Channel, Message } from 'amqplib';

const enum Tag {
  Running,
  Done,
  Settled,
}

/**
 * The unsettled deliveries of one channel, acknowledged once per turn of the event loop: the longest finished run by one
 * `multiple` ack, the stragglers behind it singly. Delivery tags are numbered from 1 on each channel (AMQP 0-9-1, section 1.8.3.13),
 * so all of this belongs to its channel, and dies with it: the same tag on the next channel is another message.
 */
export class Acknowledgements {
  readonly #channel: Channel;
  /** The state of tag `#first + i`; everything before is settled. */
  #window: Tag[] = [];
  #first = 1;
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
    while (this.#first + this.#window.length < tag) this.#window.push(Tag.Settled);
    this.#window.push(Tag.Running);
  }

  ack(tag: number): void {
    if (!this.#settle(tag, Tag.Done)) return;
    this.#done.push(tag);
    if (this.#done.length === 1) setImmediate(() => this.#flush());
  }

  requeue(tag: number): void {
    if (this.#settle(tag, Tag.Settled)) this.#send(() => this.#channel.nack(messageOf(tag), false, true));
  }

  reject(tag: number): void {
    if (this.#settle(tag, Tag.Settled)) this.#send(() => this.#channel.reject(messageOf(tag), false));
  }

  lose(): void {
    this.#lost = true;
    this.#window = [];
    this.#done = [];
  }

  /** Sends what is done now, for a channel that is about to close. */
  flush(): void {
    this.#flush();
  }

  #settle(tag: number, state: Tag): boolean {
    if (this.#lost || this.#window[tag - this.#first] !== Tag.Running) return false;
    this.#window[tag - this.#first] = state;
    return true;
  }

  #flush(): void {
    const done = this.#done;
    if (done.length === 0) return;
    this.#done = [];
    const upTo = this.#advance();
    this.#send(() => {
      // The run holds the tag itself, so that it is outstanding: an ack of one that is not closes the channel.
      if (upTo > 0) this.#channel.ack(messageOf(upTo), true);
      for (const tag of done) if (tag > upTo) this.#straggler(tag);
    });
  }

  /** Moves past the finished run at the window's beginning. Returns the last tag in it that awaits its ack, or 0. */
  #advance(): number {
    let length = 0;
    let last = 0;
    while (length < this.#window.length && this.#window[length] !== Tag.Running) {
      if (this.#window[length] === Tag.Done) last = this.#first + length;
      length++;
    }
    this.#window.splice(0, length);
    this.#first += length;
    return last;
  }

  #straggler(tag: number): void {
    if (tag >= this.#first) this.#window[tag - this.#first] = Tag.Settled;
    this.#channel.ack(messageOf(tag));
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
