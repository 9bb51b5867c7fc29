// Where messages go: to an exchange, as they are, or as a job, validated.
import { randomUUID } from 'node:crypto';
import type { JobType, MessageProperties, PublishOptions, Worker } from '@warren/core';
import { PayloadDecodingError } from '@warren/core';
import { UsageError } from '../errors.js';

export interface Target {
  /** Resolves to the message's id, when the broker has confirmed it. */
  publish(body: Buffer): Promise<string>;
}

export interface RawTarget {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: MessageProperties;
  readonly options: PublishOptions;
  /** Whether a body has to be JSON. */
  readonly json: boolean;
}

/** Sends bodies as they are. */
export function rawTarget(worker: Worker, { exchange, routingKey, properties, options, json }: RawTarget): Target {
  return {
    async publish(content) {
      if (json) requireJson(content);
      const messageId = options.messageId ?? randomUUID();
      await worker.send({ exchange, routingKey, content, properties, options: { ...options, messageId } });
      return messageId;
    },
  };
}

/** Publishes bodies as payloads of a job, which its schema validates. */
export function jobTarget(worker: Worker, job: JobType, options: PublishOptions): Target {
  return {
    async publish(body) {
      const messageId = options.messageId ?? randomUUID();
      await worker.publish(job, payloadOf(job, body), { ...options, messageId });
      return messageId;
    },
  };
}

/** A payload as the command line gives it: JSON, text or bytes, by the job's codec. */
export function payloadOf(job: JobType, body: Buffer): unknown {
  if (job.codec === 'bytes') return body;
  if (job.codec === 'text') return body.toString();
  return parse(body, (cause) => new PayloadDecodingError({ job: job.name, codec: job.codec, reason: cause.message, cause }));
}

function requireJson(body: Buffer): void {
  parse(body, (cause) => new UsageError(`not JSON: ${cause.message}`));
}

function parse(body: Buffer, failure: (cause: Error) => Error): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw failure(cause as Error);
  }
}
