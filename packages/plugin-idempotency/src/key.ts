// Which key a job has, where it comes from, and under what name the store knows it.
import { createHash } from 'node:crypto';
import { InvalidOptionError } from '@warren/core';
import type { Job, JobType, Publish } from '@warren/core';

/** The header that carries what was published as `idempotencyKey`. */
export const IDEMPOTENCY_KEY = 'x-idempotency-key';

/** What of the store is this plugin's. */
export const PREFIX = 'idempotency/';

/** Bytes: of a store's key, and of a key that is published. */
const LONGEST_KEY = 500;

/** What not every store can have in a key: NUL, and half a surrogate pair. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** A handler's own: `key` of its options. */
export type KeyFunction = (job: Job) => string;

/** A job's key: the handler's, else the header, else the message's id. Throws `ERR_INVALID_OPTION` where the first of them is no text. */
export function keyOf(job: Job, given: KeyFunction | undefined): string | undefined {
  if (given) return requireKey(given(job), `key of the handler of job "${job.name}"`);
  const header = job.headers[IDEMPOTENCY_KEY] ?? '';
  if (header === '') return job.messageId || undefined;
  // Foreign producers number what they send. Larger ones have lost digits on the way here, and could be another's.
  const key = typeof header === 'number' && Number.isSafeInteger(header) ? String(header) : header;
  return requireKey(key, `header ${IDEMPOTENCY_KEY}`);
}

/** A key belongs to one job on one queue: a message that goes to two queues is two jobs. */
export function scopeOf({ name, queue }: JobType): string {
  return `${segment(queue.name)}/${segment(name)}/`;
}

/** The name of a key's record, below the prefix. */
export function recordName(scope: string, key: string): string {
  const name = scope + key;
  const fits = Buffer.byteLength(PREFIX + name) <= LONGEST_KEY && !UNSTORABLE.test(name);
  // As UTF-16, in which every text of JavaScript is another one.
  return fits ? name : createHash('sha256').update(name, 'utf16le').digest('base64url');
}

/** The publish layer: turns `idempotencyKey` into the header, which every copy of the message keeps. */
export function carryingKey(next: Publish): Publish {
  return (message) => {
    const { properties, options } = message;
    if (options.idempotencyKey === undefined) return next(message);
    const key = requireKey(options.idempotencyKey, 'idempotencyKey');
    if (Buffer.byteLength(key) > LONGEST_KEY)
      throw new InvalidOptionError({ option: 'idempotencyKey', expected: `text of 1 to ${LONGEST_KEY} bytes`, got: key });
    return next({ ...message, properties: { ...properties, headers: { ...properties.headers, [IDEMPOTENCY_KEY]: key } } });
  };
}

function requireKey(key: unknown, option: string): string {
  if (typeof key === 'string' && key !== '') return key;
  throw new InvalidOptionError({ option, expected: 'text, not empty', got: key });
}

/** Without a slash, so that where it ends is certain. */
function segment(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F');
}
