import { deserialize, serialize } from 'node:v8';
import { MessageInvalidError, milliseconds } from '@warren/core';
import { CorruptRecordError } from '@warren/store';
import type { Duration, JobType, Message } from '@warren/core';

/** What of a message another process needs, to send it again. */
export interface KeptMessage extends Pick<Message, 'exchange' | 'routingKey' | 'content' | 'properties' | 'options'> {
  /** What its job declares. */
  readonly job: Pick<JobType, 'queue' | 'bindings'> | undefined;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
}

/** Publish options that are a time from the publishing on: those of @warren/plugin-delay and @warren/plugin-tasks. */
const FROM_PUBLISHING = ['delay', 'expiresIn'] as const;

/** As base64 of V8's format, which keeps dates, bytes and whole numbers of any size in headers as they are. Throws `ERR_MESSAGE_INVALID`. */
export function encode(message: Message, publishedAt: number): string {
  const { exchange, routingKey, content, properties, options, job } = message;
  const declared = job && { queue: job.queue, bindings: job.bindings };
  const kept: KeptMessage = { exchange, routingKey, content, properties, options, job: declared, publishedAt };
  try {
    return serialize(kept).toString('base64');
  } catch (cause) {
    throw new MessageInvalidError({ exchange, routingKey, cause });
  }
}

/** Throws `ERR_STORE_RECORD_CORRUPT`, naming `id`, for a text that `encode` has not made. */
export function decode(text: string, id: string): KeptMessage {
  try {
    return deserialize(Buffer.from(text, 'base64')) as KeptMessage;
  } catch (cause) {
    throw new CorruptRecordError({ key: id, cause });
  }
}

/** The message as it is sent at `now`: what has passed since it was published is not waited for again. */
export function resumed({ job: _job, publishedAt, ...message }: KeptMessage, now: number): Message {
  const passed = Math.max(0, now - publishedAt);
  const options = { ...message.options } as Record<string, unknown>;
  for (const option of FROM_PUBLISHING) {
    const given = options[option] as Duration | undefined;
    if (given !== undefined) options[option] = Math.max(0, milliseconds(given, option) - passed);
  }
  return { ...message, options };
}
