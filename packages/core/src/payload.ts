// Between a job's payload and a message's body: validate and encode on publish, decode and validate on delivery.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Codec } from './codec.js';
import { PayloadDecodingError, PayloadEncodingError, PayloadInvalidError, PayloadTooLargeError } from './errors.js';
import type { JobType } from './job.js';
import type { Delivery } from './message.js';
import { isThenable } from './middleware.js';
import type { Awaitable } from './plugin.js';

/** The body for a payload. What is sent is the payload as given, not as a schema transforms it: the consumer validates it again. */
export function encodePayload(job: JobType, payload: unknown, codec: Codec): Awaitable<Buffer> {
  const valid = validate(job, payload);
  return isThenable(valid) ? valid.then(() => encode(job, payload, codec)) : encode(job, payload, codec);
}

/** The validated payload of a delivery. Throws an `UnrecoverableError`: no retry would make a bad body good. */
export function decodePayload(
  job: JobType,
  { content, properties }: Delivery,
  options: { codec: Codec; maxBytes: number },
): Awaitable<unknown> {
  const { codec, maxBytes } = options;
  if (content.length > maxBytes) throw new PayloadTooLargeError({ job: job.name, bytes: content.length, max: maxBytes });
  const reason = unreadable(codec, properties);
  if (reason) throw new PayloadDecodingError({ job: job.name, codec: job.codec, reason });
  let payload: unknown;
  try {
    payload = codec.decode(content);
  } catch (cause) {
    throw new PayloadDecodingError({
      job: job.name,
      codec: job.codec,
      reason: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  return validate(job, payload);
}

function encode(job: JobType, payload: unknown, codec: Codec): Buffer {
  try {
    return codec.encode(payload);
  } catch (cause) {
    throw new PayloadEncodingError({ job: job.name, codec: job.codec, expected: codec.expects, got: payload, cause });
  }
}

/** Why a codec cannot read a body, by what its properties say. */
function unreadable(codec: Codec, { contentType, contentEncoding }: Delivery['properties']): string | undefined {
  if (contentType === codec.contentType && contentEncoding === undefined) return undefined;
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType && !codec.accepts(mediaType)) return `its content type is ${mediaType.slice(0, 100)}`;
  if (contentEncoding && !/^(?:utf-?8|identity)$/i.test(contentEncoding))
    return `its content encoding is ${contentEncoding.slice(0, 100)}`;
  return undefined;
}

/** The payload as the job's schema gives it back, or as it is where the job has none. */
function validate(job: JobType, payload: unknown): Awaitable<unknown> {
  if (!job.schema) return payload;
  const result = job.schema['~standard'].validate(payload);
  return isThenable(result) ? result.then((later) => accepted(job, later)) : accepted(job, result);
}

function accepted(job: JobType, result: StandardSchemaV1.Result<unknown>): unknown {
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ path = [], message }) => ({ path: path.map(keyOf).join('.'), message }));
  throw new PayloadInvalidError({ job: job.name, issues });
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}
