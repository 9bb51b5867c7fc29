// Mails through a provider that fails now and then: each kind of failure has its own answer, and no mail goes out twice.
import { createWorker, exponential, JobError, never, perError } from '@warren/core';
import type { Job, JobType, RetryPolicy, Worker } from '@warren/core';
import delay from '@warren/plugin-delay';
import idempotency from '@warren/plugin-idempotency';
import rateLimit, { RateLimitError } from '@warren/plugin-ratelimit';
import tasks, { defineTask } from '@warren/plugin-tasks';
import type { TaskHandle } from '@warren/plugin-tasks';

export interface Email {
  to: string;
  template: string;
}

export const sendEmail: JobType<Email> = defineTask<Email>('email.send', { queue: 'emails', timeout: 10_000 });

/** 4xx: the provider will not take this mail, however often it is asked. */
export class EmailRefusedError extends JobError {
  readonly code = 'ERR_EMAIL_REFUSED';
}

/** 5xx: not now. */
export class ProviderFailedError extends JobError {
  readonly code = 'ERR_PROVIDER_FAILED';
}

/** Refused mails die at once. The rest (5xx, timeouts, connections that break) has ten attempts, further and further apart. 429 is charged to no mail. */
const ladder = (second: number): RetryPolicy =>
  perError([[EmailRefusedError, never]], exponential({ maxAttempts: 10, initial: second, max: 3_600 * second }));

export interface SenderOptions {
  url: string;
  /** Of tasks and idempotency keys. */
  store: string;
}

/** Enqueues mails; not started. */
export function sender({ url, store }: SenderOptions): Worker {
  return createWorker({ url, plugins: [delay(), tasks({ store }), idempotency({ store }), rateLimit()] });
}

export interface MailerOptions extends SenderOptions {
  /** The provider's address. */
  provider: string;
  /** Milliseconds. Default 1000; tests have shorter ones. */
  second?: number;
}

/** Sends the mails that are enqueued, too; not started. */
export function mailer({ provider, second = 1_000, ...options }: MailerOptions): Worker {
  return sender(options).handle(sendEmail, (job) => send(job, { provider, second }), {
    retry: ladder(second),
    rateLimit: { max: 10, per: second },
  });
}

/** One mail for each template and receiver, however often it is asked for. */
export function enqueueEmail(worker: Worker, email: Email): Promise<TaskHandle> {
  return worker.enqueue(sendEmail, email, { idempotencyKey: `${email.template} ${email.to}` });
}

/** What it returns is the task's result, and that of its duplicates. */
async function send(job: Job<Email>, { provider, second }: { provider: string; second: number }): Promise<unknown> {
  const response = await fetch(`${provider}/mails`, {
    method: 'POST',
    // A worker that dies here, or whose connection does, does not know whether the mail went out: the provider does.
    headers: { 'content-type': 'application/json', 'idempotency-key': encodeURIComponent(job.idempotencyKey ?? '') },
    body: JSON.stringify(job.payload),
    signal: job.signal,
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as unknown;
  if (response.status === 429) throw new RateLimitError(Number(response.headers.get('retry-after') ?? 30) * second);
  const message = `The provider answered ${response.status}: ${text}`;
  throw response.status < 500 ? new EmailRefusedError(message) : new ProviderFailedError(message);
}
