import { channel } from 'node:diagnostics_channel';
import type { Channel } from 'node:diagnostics_channel';
import type { Job } from './job.js';
import type { Delivery, Message } from './message.js';
import type { Outcome } from './outcome.js';

/** What is told of a job: on `warren:job:start` before its chain runs, and on `warren:job:settle` with how it ended. */
export interface JobEvent {
  readonly delivery: Delivery;
  /** Absent where the message could not be decoded or has no handler. */
  readonly job: Job | undefined;
}

export interface SettleEvent extends JobEvent {
  readonly outcome: Outcome;
  /** Milliseconds in the chain. */
  readonly ms: number;
}

/** On `warren:message:publish`: a message that the broker has confirmed, or refused with `error`. */
export interface PublishEvent {
  readonly message: Message;
  readonly error: unknown;
}

/** Carries `JobEvent`. Without subscribers nothing is computed. */
export const jobStart: Channel = channel('warren:job:start');
/** Carries `SettleEvent`. */
export const jobSettle: Channel = channel('warren:job:settle');
/** Carries `PublishEvent`. */
export const messagePublish: Channel = channel('warren:message:publish');
