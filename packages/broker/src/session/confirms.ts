import type { Store } from '../store/store.js';
import type { ConfirmFault } from '../control/faults.js';

/** Where confirms go. */
export interface ConfirmChannel {
  /** A fault that a test asked for; undefined is none. */
  readonly confirmFault: ConfirmFault | undefined;
  ack(number: number, multiple: boolean): void;
  nack(number: number, multiple: boolean): void;
  /** `flush` is to be called before this turn's octets are written. */
  schedule(): void;
}

/** Publisher confirms of one channel (https://www.rabbitmq.com/docs/confirms#publisher-confirms). */
export class Confirms {
  readonly #channel: ConfirmChannel;
  #published = 0;
  // Numbers without an answer, in order; those answered in this turn.
  readonly #open = new Set<number>();
  #acked: number[] = [];
  #nacked: number[] = [];

  constructor(channel: ConfirmChannel) {
    this.#channel = channel;
  }

  get unconfirmed(): number {
    return this.#open.size;
  }

  /** The number of the next message, which is open from now on. */
  next(): number {
    this.#open.add(++this.#published);
    return this.#published;
  }

  refused(number: number): void {
    this.#answer(number, false);
  }

  /** Every queue has taken it; what one of them stores is confirmed when it is on disk. */
  accepted(number: number, storing: Store | undefined): void {
    if (storing === undefined) this.#answer(number, true);
    else storing.committed(() => this.#answer(number, true));
  }

  #answer(number: number, acked: boolean): void {
    const fault = this.#channel.confirmFault;
    if (fault === undefined) return this.#settle(number, acked);
    if (fault.kind === 'lose') return undefined;
    if (fault.kind === 'nack') return this.#settle(number, false);
    setTimeout(() => this.#settle(number, acked), fault.milliseconds);
    return undefined;
  }

  #settle(number: number, acked: boolean): void {
    this.#open.delete(number);
    (acked ? this.#acked : this.#nacked).push(number);
    this.#channel.schedule();
  }

  /** Answers this turn's numbers: those below everything else with one `multiple`, the others singly, as RabbitMQ does. */
  flush(): void {
    if (this.#acked.length === 0 && this.#nacked.length === 0) return;
    const [acked, nacked] = [this.#acked, this.#nacked];
    this.#acked = [];
    this.#nacked = [];
    if (nacked.length > 0) this.#send(nacked, lowest(acked), (number, multiple) => this.#channel.nack(number, multiple));
    if (acked.length === 1) this.#channel.ack(acked[0] as number, false);
    else if (acked.length > 1) this.#send(acked, lowest(nacked), (number, multiple) => this.#channel.ack(number, multiple));
  }

  #send(numbers: readonly number[], otherwise: number, send: (number: number, multiple: boolean) => void): void {
    const [oldestOpen = Infinity] = this.#open;
    const bound = Math.min(oldestOpen, otherwise);
    const below = numbers.filter((number) => number < bound);
    if (below.length > 0) send(highest(below), true);
    for (const number of numbers) if (number > bound) send(number, false);
  }
}

function highest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

function lowest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Infinity);
}
