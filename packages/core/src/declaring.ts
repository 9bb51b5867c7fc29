import type { Connection } from './connection.js';
import { CONNECTION } from './container.js';
import type { JobType } from './job.js';
import type { Message } from './message.js';
import type { Plugin } from './plugin.js';
import { Topology } from './topology.js';

/**
 * Core's own publish layer, the outermost but for what keeps messages through a crash: that has them before anything is asked of the broker.
 * A job's queue is declared before its first message is sent, so that a producer may come before any worker.
 */
export function declaring(): Plugin {
  return {
    name: '@warren/core',
    after: ['spool'],
    publish: (next, container) => {
      const queues = new JobQueues(container.resolve(CONNECTION));
      const declareFirst = async (job: JobType, message: Message): Promise<void> => {
        await queues.declare(job);
        return next(message);
      };
      return (message) => {
        const { job } = message;
        return job === undefined || queues.has(job) ? next(message) : declareFirst(job, message);
      };
    },
  };
}

class JobQueues {
  readonly #connection: Connection;
  readonly #declared = new WeakSet<JobType>();
  readonly #declaring = new Map<JobType, Promise<void>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  has(job: JobType): boolean {
    return this.#declared.has(job);
  }

  /** Once, however many publish the job at a time: the connection keeps every topology, to declare it again. */
  declare(job: JobType): Promise<void> {
    const underWay = this.#declaring.get(job);
    if (underWay) return underWay;
    const declaring = this.#connection.declare(new Topology().boundQueue(job.queue, job.bindings));
    this.#declaring.set(job, declaring);
    const ended = (): unknown => this.#declaring.delete(job);
    // Before the messages that wait for the same promise go on: none that comes later waits, or overtakes them.
    void declaring.then(() => this.#declared.add(job) && ended(), ended);
    return declaring;
  }
}
