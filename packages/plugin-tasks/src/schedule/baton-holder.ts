import type { Clock, Connection, Consumer, Delivery, Logger } from '@warren/core';
import { batonMessage, batonQueue, readBaton, supersedes } from './baton.js';
import type { Baton } from './baton.js';
import { GRACE } from './due.js';

export interface BatonHolderParts {
  /** Name of the schedule. */
  readonly schedule: string;
  readonly connection: Pick<Connection, 'consume' | 'publish'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when a baton has come. */
  readonly onBaton: () => void;
}

/** One is held, and its successor comes before it is settled; the others are offers, which are settled at once. */
const PREFETCH = 10;

/** Milliseconds; a delivery that is unsettled for 30 minutes is taken away: rabbitmq.com/docs/consumers#acknowledgement-timeout. */
const LONGEST_HOLD = 600_000;

/** A worker's hand for the baton of one schedule: holds the best that was delivered, settles the others, hands it on. */
export class BatonHolder {
  readonly #parts: BatonHolderParts;
  #consumer: Consumer | undefined;
  #inHand: { readonly delivery: Delivery; readonly baton: Baton } | undefined;
  /** The last tick that this worker knows to have been fired, or the moment from which ticks count. */
  #last = -Infinity;
  /** What `#last` says was handed on, or came so. */
  #handedOn = true;
  /** Monotonic milliseconds. */
  #heldSince = 0;
  /** Whether what this worker knows may be known to nobody else: it held the baton, and has not offered what that said. */
  #knowing = false;
  #closing = false;

  constructor(parts: BatonHolderParts) {
    this.#parts = parts;
  }

  /** Whether this worker leads the schedule, as far as it can know: the broker may have given the baton to another, and not said so yet. */
  get holds(): boolean {
    return this.#inHand !== undefined && !this.#inHand.delivery.lost;
  }

  /** Milliseconds since the epoch: the last tick that was fired. For a holder. */
  get last(): number {
    return this.#last;
  }

  /** Stands in line for the baton. */
  async open(): Promise<void> {
    const { connection, schedule } = this.#parts;
    const options = { queue: batonQueue(schedule), prefetch: PREFETCH };
    this.#consumer = await connection.consume(options, (delivery) => this.#receive(delivery));
    if (this.#closing) await this.#consumer.cancel();
  }

  /** Leaves the line; the baton stays in hand. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#consumer?.cancel();
  }

  /** Gives the baton back: the broker delivers it to the next in line. */
  release(): void {
    this.#inHand?.delivery.requeue();
    this.#inHand = undefined;
  }

  /**
   * For a worker that has no baton: publishes one, in case there is none. Where there is one it came before, so that its holder has it and
   * drops what is worth less.
   */
  async offer(): Promise<void> {
    const { schedule, connection, clock } = this.#parts;
    const knowing = this.#knowing;
    // Before: a baton that comes meanwhile makes it true again.
    this.#knowing = false;
    const baton = knowing ? { last: this.#last, seed: false } : { last: clock.now(), seed: true };
    await connection.publish(batonMessage(schedule, baton)).catch((error: unknown) => {
      this.#knowing ||= knowing;
      throw error;
    });
  }

  /** A tick was fired. Resolves when the broker knows, too. */
  async advance(tick: Date): Promise<void> {
    this.#last = Math.max(this.#last, tick.getTime());
    this.#handedOn = false;
    await this.#handOn();
  }

  /** Hands on what was not, or was too long in hand: to the end of the queue, from where it comes to this worker again. */
  async refresh(): Promise<void> {
    const age = this.#parts.clock.monotonic() - this.#heldSince;
    if (!this.#handedOn || age >= LONGEST_HOLD) await this.#handOn();
  }

  /** First the new baton, then the end of the old one, at the new one's coming: a crash between leaves two, of which the later counts. */
  async #handOn(): Promise<void> {
    const { schedule, connection } = this.#parts;
    const last = this.#last;
    await connection.publish(batonMessage(schedule, { last, seed: false }));
    this.#handedOn = last === this.#last;
  }

  #receive(delivery: Delivery): void {
    if (this.#closing) return delivery.requeue();
    const baton = this.#read(delivery);
    if (!baton) return delivery.ack();
    const { baton: other } = (this.holds && this.#inHand) || {};
    if (other && !supersedes(baton, other)) return delivery.ack();
    this.#take(delivery, baton);
    this.#parts.onBaton();
    return undefined;
  }

  #take(delivery: Delivery, baton: Baton): void {
    // Who led before and leads again knows more than a baton that was on the way meanwhile.
    this.#handedOn = !baton.seed && baton.last >= this.#last;
    this.#inHand?.delivery.ack();
    this.#inHand = { delivery, baton };
    this.#last = Math.max(this.#last, baton.last);
    this.#heldSince = this.#parts.clock.monotonic();
    this.#knowing = true;
  }

  /** A baton from the future would stop the schedule until then: somebody's clock was wrong. */
  #read(delivery: Delivery): Baton | undefined {
    const { schedule, logger, clock } = this.#parts;
    const baton = readBaton(delivery);
    if (!baton) logger.error({ schedule, queue: delivery.queue }, 'a message that is no baton was dropped');
    const now = clock.now();
    if (!baton || baton.last <= now + GRACE) return baton;
    logger.error({ schedule, last: new Date(baton.last) }, 'the baton is ahead of this clock: ticks count from now on');
    return { last: now, seed: true };
  }
}
