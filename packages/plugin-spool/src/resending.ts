import { PublishBufferFullError, UnknownOptionError } from '@warren/core';
import type { Clock, Connection, Logger, Publish } from '@warren/core';
import { CorruptRecordError } from '@warren/store';
import { decode, resumed } from './kept-message.js';
import type { KeptMessage } from './kept-message.js';
import type { KeptQueues } from './kept-queues.js';
import { isOutage } from './outage.js';
import type { Spool } from './spool.js';
import type { Place, SpoolRecords } from './spool-records.js';

export interface ResendingParts {
  readonly spool: Spool;
  readonly records: SpoolRecords;
  /** The publish chain inside the spool. */
  readonly next: Publish;
  readonly queues: KeptQueues;
  readonly connection: Connection;
  /** The publish options that core and the plugins know. */
  readonly options: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

interface Found {
  readonly kept: KeptMessage;
  readonly place: Place;
}

/**
 * `waits`: the broker is away. `full`: the worker's buffer has no room now. `stays`: something is wrong with the message, until the next
 * start. `gone`: another producer that shares the spool was quicker, or nobody can read it.
 */
type Fate = 'sent' | 'waits' | 'full' | 'stays' | 'gone';

/** What is in memory and unconfirmed at a time; each batch is a line of progress. */
const BATCH = { messages: 250, bytes: 16 * 2 ** 20 };

/** Sends what earlier processes have left in the spool. */
export class Resending {
  readonly #parts: ResendingParts;
  #left: string[] = [];
  /** Messages of the next batch: fewer than `BATCH` where the worker's buffer has been full. */
  #most: number = BATCH.messages;
  #running: Promise<void> | undefined;

  constructor(parts: ResendingParts) {
    this.#parts = parts;
  }

  /** Rejects as the store does. What the broker does not take stays. */
  async start(): Promise<void> {
    this.#left = await this.#parts.records.left();
    await this.#runOnce();
  }

  /** Goes on where the broker was away before; never rejects. */
  async resume(): Promise<void> {
    try {
      // What is under way may be about to give up on the connection that is back now.
      await Promise.allSettled([this.#running]);
      await this.#runOnce();
    } catch (error) {
      this.#parts.logger.error({ err: error, left: this.#left.length }, 'spool: what is left stays until the next start');
    }
  }

  #runOnce(): Promise<void> {
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<void> {
    const { logger, stopping } = this.#parts;
    if (this.#left.length === 0 || stopping.aborted) return;
    const counts: Record<Fate, number> = { sent: 0, waits: 0, full: 0, stays: 0, gone: 0 };
    this.#most = BATCH.messages;
    logger.info({ left: this.#left.length }, 'spool: sending again what was unconfirmed when its producer ended');
    while (this.#left.length > 0 && counts.waits === 0 && !stopping.aborted) {
      for (const fate of await this.#sendBatch()) counts[fate]++;
      const { sent, stays } = counts;
      logger.info({ sent, stays, left: this.#left.length }, 'spool: sent again');
    }
    if (counts.waits > 0)
      logger.error({ left: this.#left.length }, 'spool: the broker is away; what is left is sent when it is back');
  }

  /** The oldest of what is left; what is to be sent again stays there. */
  async #sendBatch(): Promise<Fate[]> {
    const batch = await this.#readBatch();
    const fates = await this.#sendAll(batch);
    const ids = this.#left.slice(0, batch.length);
    const again = ids.filter((_, index) => fates[index] === 'waits' || fates[index] === 'full');
    this.#left.splice(0, ids.length, ...again);
    const full = fates.filter((fate) => fate === 'full').length;
    if (full > 0) {
      this.#most = Math.max(1, batch.length - full);
      await this.#parts.connection.confirmed();
    }
    return fates;
  }

  /** At least one, whatever its size. */
  async #readBatch(): Promise<Array<Found | undefined>> {
    const batch: Array<Found | undefined> = [];
    let bytes = 0;
    for (const id of this.#left.slice(0, this.#most)) {
      if (bytes >= BATCH.bytes) break;
      const found = await this.#read(id);
      bytes += found?.kept.content.length ?? 0;
      batch.push(found);
    }
    return batch;
  }

  /** Declaring first: messages are sent in their order. */
  async #sendAll(batch: ReadonlyArray<Found | undefined>): Promise<Fate[]> {
    try {
      for (const message of batch) await this.#parts.queues.declare(message?.kept.job);
    } catch (error) {
      if (isOutage(error)) return batch.map(() => 'waits');
      throw error;
    }
    return Promise.all(batch.map(async (message) => (message ? this.#send(message) : 'gone')));
  }

  /** Undefined where there is nothing to send. A store that is away is everybody's trouble, a record that cannot be read one message's. */
  async #read(id: string): Promise<Found | undefined> {
    const { records, logger } = this.#parts;
    try {
      const found = await records.read(id);
      return found && { kept: decode(found.text, id), place: found.place };
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      logger.error({ err: error }, 'spool: a message cannot be read, and stays');
      return undefined;
    }
  }

  async #send({ kept, place }: Found): Promise<Fate> {
    const { next, clock, spool, logger } = this.#parts;
    try {
      this.#requireOwners(kept);
      await next(resumed(kept, clock.now()));
    } catch (error) {
      if (isOutage(error)) return 'waits';
      // Alone it had all the room that there was.
      if (error instanceof PublishBufferFullError && this.#most > 1) return 'full';
      const { exchange, routingKey, properties } = kept;
      const facts = { err: error, messageId: properties.messageId, exchange, routingKey };
      logger.error(facts, 'spool: a message cannot be sent, and stays until the next start');
      return 'stays';
    }
    await spool.erase(place);
    return 'sent';
  }

  /** Without the plugin that delays, a delayed message would be sent at once. */
  #requireOwners({ options }: KeptMessage): void {
    const known = this.#parts.options;
    const option = Object.keys(options).find((name) => options[name as keyof typeof options] !== undefined && !known.has(name));
    if (option !== undefined) throw new UnknownOptionError({ option, where: 'a message of the spool', known: [...known] });
  }
}
