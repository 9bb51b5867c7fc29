// The article's dead letters: what dies in `testQu` goes through `testExDLX` to `testQueueDLX`. With a TTL and nobody who consumes
// `testQu`, that is a delay.
import { createWorker, deadLetter, defineJob, HEADERS } from '@warren/core';
import type { Job, JobType, Worker } from '@warren/core';

export interface Limits {
  /** Milliseconds after which any message in the queue dies. */
  queueTtl?: number;
  /** Messages in the queue; one more, and the oldest dies. */
  maxLength?: number;
}

/** What waits in `testQu`. Who defines it with other limits than it has gets `ERR_TOPOLOGY_MISMATCH`. */
export function waiting({ queueTtl, maxLength }: Limits = {}): JobType<string> {
  return defineJob<string>('test', {
    queue: {
      name: 'testQu',
      type: 'classic',
      deadLetter: { exchange: 'testExDLX', routingKey: 'testRoutingKeyDLX' },
      arguments: {
        ...(queueTtl !== undefined && { 'x-message-ttl': queueTtl }),
        ...(maxLength !== undefined && { 'x-max-length': maxLength }),
      },
    },
    exchange: 'testEx',
    routingKey: '',
    bindings: [{ exchange: 'testEx', type: 'direct' }],
    codec: 'text',
  });
}

/** The same job, dead: a message keeps its type on the way. */
export const dead: JobType<string> = defineJob<string>('test', {
  queue: { name: 'testQueueDLX', type: 'classic', deadLetter: false },
  bindings: [{ exchange: 'testExDLX', type: 'direct', pattern: 'testRoutingKeyDLX' }],
  codec: 'text',
});

export interface DeadMessage {
  text: string;
  /** `expired`, `maxlen` or `rejected`, as the broker says; or what the handler said when it gave up. */
  reason: string;
}

/** Consumes the dead letters; not started. */
export function deadLetterConsumer(url: string, onDead: (message: DeadMessage) => void): Worker {
  return createWorker({ url }).handle(dead, (job) => onDead({ text: job.payload, reason: reasonOf(job) }));
}

/** Consumes `testQu` and rejects whatever comes; not started. */
export function rejecting(url: string, why: string, limits?: Limits): Worker {
  return createWorker({ url }).handle(waiting(limits), () => deadLetter(new Error(why)));
}

function reasonOf({ properties: { headers = {} } }: Job): string {
  const [last] = (headers['x-death'] as Array<{ reason: string }> | undefined) ?? [];
  return last?.reason ?? String(headers[HEADERS.errorMessage]);
}
