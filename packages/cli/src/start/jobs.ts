// Each job as a line of the log: through diagnostics channels, so that a worker whose log leaves them out does not pay for them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { JobEvent, Logger, Outcome, SettleEvent } from '@warren/core';
import { attemptOf } from '@warren/core';

const START = 'warren:job:start';
const SETTLE = 'warren:job:settle';

/** Counts running jobs and logs settled ones. */
export class JobLog implements Disposable {
  readonly #log: Logger;
  readonly #start = (): void => void this.#running++;
  readonly #settle = (event: unknown): void => this.#settled(event as SettleEvent);
  readonly #delays: boolean;
  #running = 0;

  /** `delays`: whether a plugin holds retries for the time that their policy says. */
  constructor(log: Logger, { delays }: { delays: boolean }) {
    this.#log = log;
    this.#delays = delays;
    subscribe(START, this.#start);
    subscribe(SETTLE, this.#settle);
  }

  get running(): number {
    return this.#running;
  }

  [Symbol.dispose](): void {
    unsubscribe(START, this.#start);
    unsubscribe(SETTLE, this.#settle);
  }

  #settled({ job, delivery, outcome, ms }: SettleEvent): void {
    if (job) this.#running--;
    const facts = {
      ...jobFacts({ job, delivery }),
      outcome: outcome.kind,
      ms: Math.round(ms * 10) / 10,
      ...this.#outcomeFacts(outcome),
    };
    switch (outcome.kind) {
      case 'ack':
        return this.#log.info(facts, 'done');
      case 'requeue':
        return this.#log.info(facts, 'requeued');
      case 'retry':
        return this.#log.warn(facts, 'retry');
      case 'deadLetter':
        return this.#log.error(facts, 'dead letter');
    }
  }

  #outcomeFacts(outcome: Outcome): object {
    const delay = this.#delays && 'delay' in outcome && outcome.delay !== undefined ? { delay: outcome.delay } : {};
    return 'error' in outcome && outcome.error !== undefined ? { ...delay, err: outcome.error } : delay;
  }
}

function jobFacts({ job, delivery }: JobEvent): object {
  const { messageId, type } = delivery.properties;
  return { job: job?.name ?? type, queue: delivery.queue, id: messageId, attempt: attemptOf(delivery) };
}
