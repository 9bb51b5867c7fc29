import type { Database, RootDatabase } from 'lmdb';
import type { Queue } from '../queue/queue.js';
import type { QueuedMessage } from '../queue/ready-list.js';
import type { Binding } from '../routing/binding.js';
import type { Exchange } from '../routing/exchange.js';
import {
  bindingKey,
  bindingRecord,
  exchangeKey,
  exchangeRecord,
  queueKey,
  queueRecord,
  type DefinitionRecord,
} from './definition-record.js';
import { encodeMessage, isApart, messageKey } from './message-record.js';
import type { Store } from './store.js';

/** How often a message came back. */
export interface Counts {
  readonly deliveries: number;
  readonly acquired: number;
}

export interface Databases {
  readonly root: RootDatabase;
  readonly definitions: Database<DefinitionRecord, string>;
  readonly messages: Database<Buffer, Buffer>;
  /** Large ones, see `isApart`. */
  readonly contents: Database<Buffer, Buffer>;
  readonly counts: Database<Counts, Buffer>;
  /** By queue number: the highest place in the queue that was ever delivered. */
  readonly delivered: Database<number, number>;
}

export interface StoreEvents {
  /** Nothing can be written any more. */
  failed(error: unknown): void;
  closed(): Promise<void>;
}

/** What the next transaction will do. */
class Batch {
  readonly definitions = new Map<string, DefinitionRecord | undefined>();
  readonly added = new Map<QueuedMessage, Queue>();
  readonly removed = new Map<QueuedMessage, Queue>();
  readonly counted = new Map<QueuedMessage, Queue>();
  readonly delivered = new Map<number, number | undefined>();
  readonly callbacks: Array<() => void> = [];

  get empty(): boolean {
    return this.#size === 0;
  }

  /** Tells everybody who waits for it. */
  confirm(): void {
    for (const callback of this.callbacks) callback();
  }

  get #size(): number {
    return (
      this.definitions.size +
      this.added.size +
      this.removed.size +
      this.counted.size +
      this.delivered.size +
      this.callbacks.length
    );
  }
}

/**
 * Keeps durable things in LMDB. What happens in one turn of the event loop is one transaction, and while one is being written the
 * next one gathers, so that many publishers share one flush of the disk.
 */
export class LmdbStore implements Store {
  readonly #databases: Databases;
  readonly #events: StoreEvents;
  readonly #highestDelivered = new Map<number, number>();
  #batch = new Batch();
  #writing: Promise<void> | undefined;
  #broken = false;

  constructor(databases: Databases, events: StoreEvents) {
    this.#databases = databases;
    this.#events = events;
  }

  addQueue(queue: Queue): void {
    this.#define(queueKey(queue), queueRecord(queue));
  }

  removeQueue(queue: Queue): void {
    this.#define(queueKey(queue), undefined);
    this.#highestDelivered.delete(queue.id);
    this.#batch.delivered.set(queue.id, undefined);
  }

  addExchange(vhost: string, exchange: Exchange): void {
    this.#define(exchangeKey(vhost, exchange), exchangeRecord(vhost, exchange));
  }

  removeExchange(vhost: string, exchange: Exchange): void {
    this.#define(exchangeKey(vhost, exchange), undefined);
  }

  addBinding(vhost: string, binding: Binding): void {
    this.#define(bindingKey(vhost, binding), bindingRecord(vhost, binding));
  }

  removeBinding(vhost: string, binding: Binding): void {
    this.#define(bindingKey(vhost, binding), undefined);
  }

  add(queue: Queue, queued: QueuedMessage): void {
    this.#batch.added.set(queued, queue);
    this.#schedule();
  }

  /** What was not written yet need not be: a message that is consumed at once never reaches the disk. */
  remove(queue: Queue, queued: QueuedMessage): void {
    this.#batch.counted.delete(queued);
    if (!this.#batch.added.delete(queued)) this.#batch.removed.set(queued, queue);
    this.#schedule();
  }

  requeued(queue: Queue, queued: QueuedMessage): void {
    this.#batch.counted.set(queued, queue);
    this.#schedule();
  }

  delivered(queue: Queue, { sequence }: QueuedMessage): void {
    const highest = this.#highestDelivered.get(queue.id) ?? this.#databases.delivered.get(queue.id) ?? 0;
    if (sequence <= highest) return;
    this.#highestDelivered.set(queue.id, sequence);
    this.#batch.delivered.set(queue.id, sequence);
    this.#schedule();
  }

  committed(callback: () => void): void {
    this.#batch.callbacks.push(callback);
    this.#schedule();
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#databases.root.close();
    await this.#events.closed();
  }

  #define(key: string, record: DefinitionRecord | undefined): void {
    this.#batch.definitions.set(key, record);
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#broken) this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const batch = this.#batch;
    this.#batch = new Batch();
    try {
      await this.#databases.root.batch(() => this.#apply(batch));
      // Written is not on disk yet: that is what callbacks wait for, while the next transaction begins.
      void this.#databases.root.flushed.then(() => batch.confirm());
      this.#writing = this.#batch.empty ? undefined : this.#write();
    } catch (error) {
      this.#writing = undefined;
      this.#broken = true;
      this.#events.failed(error);
    }
  }

  #apply(batch: Batch): void {
    const { definitions, counts, delivered } = this.#databases;
    for (const [key, record] of batch.definitions) {
      if (record === undefined) void definitions.remove(key);
      else void definitions.put(key, record);
    }
    for (const [queued, queue] of batch.added) this.#put(queue, queued);
    for (const [{ sequence, deliveries, acquired }, queue] of batch.counted) {
      void counts.put(messageKey(queue.id, sequence), { deliveries, acquired });
    }
    for (const [queued, queue] of batch.removed) this.#remove(queue, queued);
    for (const [id, sequence] of batch.delivered) {
      if (sequence === undefined) void delivered.remove(id);
      else void delivered.put(id, sequence);
    }
  }

  #put(queue: Queue, queued: QueuedMessage): void {
    const { messages, contents } = this.#databases;
    const key = messageKey(queue.id, queued.sequence);
    void messages.put(key, encodeMessage(queued));
    if (isApart(queued.message)) void contents.put(key, queued.message.content);
  }

  #remove(queue: Queue, { sequence, acquired, message }: QueuedMessage): void {
    const { messages, contents, counts } = this.#databases;
    const key = messageKey(queue.id, sequence);
    void messages.remove(key);
    if (isApart(message)) void contents.remove(key);
    if (acquired > 0) void counts.remove(key);
  }
}
