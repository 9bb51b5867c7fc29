import { UnknownOptionError } from '@warren/core';
import type { Clock, Logger, Publish } from '@warren/core';
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
 * `waits`: the broker is away. `stays`: something is wrong with the message, until the next start. `gone`: another producer that
 * shares the spool was quicker, or nobody can read it.
 */
type Fate = 'sent' | 'waits' | 'stays' | 'gone';

/** Messages that are unconfirmed at a time; each batch is a line of progress. */
const BATCH = 250;

/** Sends what earlier processes have left in the spool. */
export class Resending {
  readonly #parts: ResendingParts;
  #left: string[] = [];
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
    const counts: Record<Fate, number> = { sent: 0, waits: 0, stays: 0, gone: 0 };
    logger.info({ left: this.#left.length }, 'spool: sending again what was unconfirmed when its producer ended');
    while (this.#left.length > 0 && counts.waits === 0 && !stopping.aborted) {
      const ids = this.#left.splice(0, BATCH);
      const fates = await this.#sendAll(ids);
      for (const fate of fates) counts[fate]++;
      this.#left.unshift(...ids.filter((_, index) => fates[index] === 'waits'));
      const { sent, stays } = counts;
      logger.info({ sent, stays, left: this.#left.length }, 'spool: sent again');
    }
    if (counts.waits > 0)
      logger.error({ left: this.#left.length }, 'spool: the broker is away; what is left is sent when it is back');
  }

  /** Reading and declaring first: messages are sent in their order. */
  async #sendAll(ids: readonly string[]): Promise<Fate[]> {
    const found = await Promise.all(ids.map((id) => this.#read(id)));
    try {
      for (const message of found) await this.#parts.queues.declare(message?.kept.job);
    } catch (error) {
      if (isOutage(error)) return ids.map(() => 'waits');
      throw error;
    }
    return Promise.all(found.map(async (message) => (message ? this.#send(message) : 'gone')));
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
