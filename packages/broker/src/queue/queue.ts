import type { FieldTable } from '../amqp/field-table.js';
import type { Binding, Destination } from '../routing/binding.js';
import type { Surroundings } from '../surroundings.js';
import type { Timer } from '../clock.js';
import { ConsumerRotation } from './consumer-rotation.js';
import type { Consumer } from './consumer.js';
import type { DeathReason } from './x-death.js';
import type { Message } from './message.js';
import type { QueueSettings } from './queue-arguments.js';
import type { QueuedMessage } from './ready-list.js';
import { ReadyMessages } from './ready-messages.js';

export interface QueueProperties {
  /** Tells queues of the same name apart that existed one after the other. */
  readonly id: number;
  readonly vhost: string;
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** The connection that alone may use it. */
  readonly owner: object | undefined;
  readonly arguments: FieldTable;
  readonly settings: QueueSettings;
}

/** How a message comes back from a consumer. */
export interface Return {
  /** Whether it counts towards the delivery limit. */
  readonly counts: boolean;
}

export class Queue implements Destination {
  readonly kind = 'queue';
  readonly incoming: Set<Binding> = new Set();
  readonly id: number;
  readonly vhost: string;
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly owner: object | undefined;
  readonly arguments: FieldTable;
  readonly settings: QueueSettings;
  readonly consumers: ConsumerRotation<Consumer>;
  readonly ready: ReadyMessages;
  /** Delivered and not settled yet. */
  readonly unacked: Set<QueuedMessage> = new Set();
  deleted = false;
  readonly #around: Surroundings;
  #nextSequence = 1;
  #expiry: Timer | undefined;

  constructor(properties: QueueProperties, around: Surroundings) {
    this.id = properties.id;
    this.vhost = properties.vhost;
    this.name = properties.name;
    this.durable = properties.durable;
    this.autoDelete = properties.autoDelete;
    this.owner = properties.owner;
    this.arguments = properties.arguments;
    this.settings = properties.settings;
    this.consumers = new ConsumerRotation(properties.settings.singleActiveConsumer);
    this.ready = new ReadyMessages(properties.settings.maxPriority);
    this.#around = around;
  }

  /** False when a queue that refuses what is too much has no room for it (https://www.rabbitmq.com/docs/maxlength#overflow-behaviour). */
  accepts(message: Message): boolean {
    const { overflow, maxLength, maxLengthBytes } = this.settings;
    if (overflow === 'drop-head') return true;
    return this.ready.size + 1 <= maxLength && this.ready.bodyOctets + message.bodySize <= maxLengthBytes;
  }

  /** Takes a message: to a waiting consumer, or to the end of the queue. Returns whether it went into the store. */
  publish(message: Message): boolean {
    this.#dropExpired();
    const queued = this.#admit(message);
    const consumer = this.ready.size === 0 ? this.consumers.next() : undefined;
    if (consumer === undefined) this.#enqueue(queued);
    else this.#deliver(queued, consumer);
    return queued.stored;
  }

  /** A message that does not fit, from a queue that passes such on as dead letters. */
  refuse(message: Message): void {
    if (this.settings.overflow === 'reject-publish-dlx') this.#around.deadLetters.add(this, message, 'maxlen');
  }

  /** Puts back what the store kept. */
  restore(queued: QueuedMessage): void {
    queued.message.hold(this.#around.memory);
    this.ready.insert(queued);
    this.#nextSequence = Math.max(this.#nextSequence, queued.sequence + 1);
  }

  /** Takes the next message for basic.get; undefined when there is none. */
  take(): QueuedMessage | undefined {
    this.#dropExpired();
    const queued = this.#shift();
    if (queued !== undefined) this.#handOut(queued);
    return queued;
  }

  /** Delivers while there are messages and consumers that can take them. */
  dispatch(): void {
    if (this.deleted) return;
    this.#dropExpired();
    this.#awaitExpiry();
    while (this.ready.size > 0) {
      const consumer = this.consumers.next();
      if (consumer === undefined) break;
      this.#deliver(this.#shift() as QueuedMessage, consumer);
    }
  }

  /** The message is done with: acknowledged, or delivered to a consumer that does not acknowledge. */
  settle(queued: QueuedMessage): void {
    this.unacked.delete(queued);
    this.#forget(queued);
  }

  /** Refused for good: a dead letter. */
  reject(queued: QueuedMessage): void {
    this.unacked.delete(queued);
    this.#bury(queued, 'rejected');
  }

  /** Back to where it was in the queue (https://www.rabbitmq.com/docs/confirms#consumer-nacks-requeue). */
  requeue(queued: QueuedMessage, { counts }: Return): void {
    this.unacked.delete(queued);
    if (this.deleted) return this.#forget(queued);
    queued.redelivered = true;
    queued.acquired++;
    if (counts) queued.deliveries++;
    const { deliveryLimit } = this.settings;
    if (deliveryLimit !== undefined && queued.deliveries > deliveryLimit) return this.#bury(queued, 'delivery_limit');
    if (queued.stored) this.#around.store?.requeued(this, queued);
    this.ready.insert(queued);
    return undefined;
  }

  /** After messages came back: drops what is too much, then delivers again (rabbit_amqqueue_process, requeue_and_run). */
  settled(): void {
    this.#dropExcess();
    this.dispatch();
  }

  /** Removes all ready messages and returns how many there were. */
  purge(): number {
    const count = this.ready.size;
    for (let queued = this.ready.shift(); queued !== undefined; queued = this.ready.shift()) this.#forget(queued);
    return count;
  }

  /** Ends the queue; nothing becomes a dead letter. What is unacknowledged is let go when its channel settles it. */
  delete(): number {
    this.#expiry?.cancel();
    const count = this.purge();
    this.deleted = true;
    this.#around.deadLetters.dropHeld(this);
    return count;
  }

  /** Takes the head; the message behind it may have expired while it waited there. */
  #shift(): QueuedMessage | undefined {
    const head = this.ready.shift();
    this.#dropExpired();
    this.#awaitExpiry();
    return head;
  }

  #admit(message: Message): QueuedMessage {
    const ttl = Math.min(message.ttl ?? Infinity, this.settings.messageTtl ?? Infinity);
    const queued: QueuedMessage = {
      message,
      sequence: this.#nextSequence++,
      expiresAt: ttl === Infinity ? Infinity : this.#around.clock.now() + ttl,
      stored: this.durable && this.#around.store !== undefined && (message.persistent || this.settings.type === 'quorum'),
      redelivered: false,
      acquired: 0,
      deliveries: 0,
    };
    message.hold(this.#around.memory);
    if (queued.stored) this.#around.store?.add(this, queued);
    return queued;
  }

  #enqueue(queued: QueuedMessage): void {
    this.ready.insert(queued);
    this.#dropExpired();
    this.#dropExcess();
    this.#awaitExpiry();
  }

  #deliver(queued: QueuedMessage, consumer: Consumer): void {
    if (consumer.noAck) {
      consumer.deliver(queued);
      this.settle(queued);
    } else {
      this.#handOut(queued);
      consumer.deliver(queued);
    }
  }

  #handOut(queued: QueuedMessage): void {
    this.unacked.add(queued);
    if (queued.stored) this.#around.store?.delivered(this, queued);
  }

  /** Only the head is looked at: a message waits behind one that lives longer (https://www.rabbitmq.com/docs/ttl#per-message-ttl-caveats). */
  #dropExpired(): void {
    for (let head = this.ready.first(); head !== undefined && head.expiresAt !== Infinity; head = this.ready.first()) {
      if (head.expiresAt > this.#around.clock.now()) return;
      this.ready.shift();
      this.#bury(head, 'expired');
    }
  }

  #awaitExpiry(): void {
    const due = this.ready.first()?.expiresAt ?? Infinity;
    if (due === Infinity || (this.#expiry !== undefined && this.#expiry.due <= due)) return;
    this.#expiry?.cancel();
    this.#expiry = this.#around.clock.at(due, () => {
      this.#expiry = undefined;
      this.dispatch();
    });
  }

  /** Ready messages count, unacknowledged ones do not. */
  #dropExcess(): void {
    const { overflow, maxLength, maxLengthBytes } = this.settings;
    if (overflow !== 'drop-head') return;
    while (this.ready.size > maxLength || this.ready.bodyOctets > maxLengthBytes) {
      this.#bury(this.ready.shift() as QueuedMessage, 'maxlen');
    }
  }

  /** Passes a message on as a dead letter. It leaves the store together with its copy's coming in. */
  #bury(queued: QueuedMessage, reason: DeathReason): void {
    this.#around.deadLetters.add(this, queued.message, reason, queued);
  }

  #forget(queued: QueuedMessage): void {
    if (queued.stored) this.#around.store?.remove(this, queued);
    queued.message.letGo(this.#around.memory);
  }
}
