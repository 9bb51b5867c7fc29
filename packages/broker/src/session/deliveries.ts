import { AmqpError } from '../amqp/replies.js';
import type { Consumer } from '../queue/consumer.js';
import type { Queue } from '../queue/queue.js';
import type { QueuedMessage } from '../queue/ready-list.js';

export interface Delivery {
  readonly tag: number;
  readonly queue: Queue;
  readonly queued: QueuedMessage;
  /** Absent for basic.get. */
  readonly consumer: Consumer | undefined;
  /** When it was delivered, in milliseconds since the epoch. */
  readonly since: number;
}

export interface Tags {
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

/** Deliveries of one channel that nobody has settled yet, in order of their tags. */
export class Deliveries {
  #lastTag = 0;
  #consumed = 0;
  readonly #open = new Map<number, Delivery>();

  get size(): number {
    return this.#open.size;
  }

  /** Those to consumers, which a channel's prefetch limit is about; basic.get is not limited. */
  get consumed(): number {
    return this.#consumed;
  }

  /** The delivery that has waited longest. */
  get oldest(): Delivery | undefined {
    const [first] = this.#open.values();
    return first;
  }

  /** Every delivery takes a tag, also one that needs no acknowledgement. */
  nextTag(): number {
    return ++this.#lastTag;
  }

  add(delivery: Delivery): void {
    this.#open.set(delivery.tag, delivery);
    if (delivery.consumer !== undefined) this.#consumed++;
  }

  /** Takes out what an ack, nack or reject is about. Tag 0 with multiple is everything (specification, basic.ack). */
  take({ deliveryTag, multiple }: Tags): Delivery[] {
    if (multiple && deliveryTag === 0) return this.takeAll();
    const delivery = this.#open.get(deliveryTag);
    if (delivery === undefined) throw new AmqpError('PRECONDITION_FAILED', `unknown delivery tag ${deliveryTag}`);
    if (!multiple) return [this.#remove(delivery)];
    const taken: Delivery[] = [];
    for (const earlier of this.#open.values()) {
      if (earlier.tag > deliveryTag) break;
      taken.push(this.#remove(earlier));
    }
    return taken;
  }

  takeAll(): Delivery[] {
    return [...this.#open.values()].map((delivery) => this.#remove(delivery));
  }

  /** Puts back what a rolled back transaction had settled. */
  restore(deliveries: readonly Delivery[]): void {
    const all = [...deliveries, ...this.takeAll()].toSorted((a, b) => a.tag - b.tag);
    for (const delivery of all) this.add(delivery);
  }

  #remove(delivery: Delivery): Delivery {
    this.#open.delete(delivery.tag);
    if (delivery.consumer !== undefined) this.#consumed--;
    return delivery;
  }
}
