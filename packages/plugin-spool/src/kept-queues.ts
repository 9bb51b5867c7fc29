import { serialize } from 'node:v8';
import { Topology } from '@warren/core';
import type { Connection, Logger } from '@warren/core';
import type { KeptMessage } from './kept-message.js';
import { isOutage } from './outage.js';

/** Declares the queues of messages that are sent again: a job's first message may have been published while the broker was away. */
export class KeptQueues {
  readonly #connection: Connection;
  readonly #logger: Logger;
  /** By all that is in them: each message of a job has a copy of its own. */
  readonly #tried = new Set<string>();

  constructor({ connection, logger }: { readonly connection: Connection; readonly logger: Logger }) {
    this.#connection = connection;
    this.#logger = logger;
  }

  /** Rejects where the broker is away. A definition that it refuses has changed since, and whether its queue is there shows when the message is sent. */
  async declare(job: KeptMessage['job']): Promise<void> {
    if (!job) return;
    const name = serialize(job).toString('base64');
    if (this.#tried.has(name)) return;
    try {
      await this.#connection.declare(new Topology().boundQueue(job.queue, job.bindings));
    } catch (error) {
      if (isOutage(error)) throw error;
      this.#logger.warn(
        { err: error, queue: job.queue.name },
        'spool: a queue cannot be declared as it was when its message was published',
      );
    }
    this.#tried.add(name);
  }
}
