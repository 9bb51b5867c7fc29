import { createHash } from 'node:crypto';
import type { Job } from '@warren/core';

/** Somebody works on it, or did until it died. */
export interface Running {
  readonly state: 'running';
  /** One run's own name. */
  readonly owner: string;
  readonly fingerprint: string;
  /** Milliseconds that the record may be old before others may take it: what its owner renews it by. */
  readonly lease: number;
}

/** Its job has succeeded. */
export interface Done {
  readonly state: 'done';
  readonly owner: string;
  readonly fingerprint: string;
  readonly result?: unknown;
  /** Why there is no result where the handler gave one. */
  readonly omitted?: 'too large' | 'not JSON';
}

/** What the store knows of a key; of one that is free it knows nothing. */
export type KeyRecord = Running | Done;

/** Tells a repeated message from another one under the same key: SHA-256 of content type and body, byte by byte. */
export function fingerprintOf({ delivery: { content, properties } }: Job): string {
  const hash = createHash('sha256').update(properties.contentType ?? '');
  return hash.update('\0').update(content).digest('base64url');
}

/** What becomes of a running record whose handler gave `result`. */
export function done({ owner, fingerprint }: KeyRecord, result: unknown, maxBytes: number): Done {
  return { state: 'done', owner, fingerprint, ...kept(result, maxBytes) };
}

function kept(result: unknown, maxBytes: number): Pick<Done, 'result' | 'omitted'> {
  if (result === undefined) return {};
  const text = jsonOf(result);
  if (text === undefined) return { omitted: 'not JSON' };
  // Parsed again: what is written equals what will be read, which a lease needs to know its own.
  return Buffer.byteLength(text) > maxBytes ? { omitted: 'too large' } : { result: JSON.parse(text) as unknown };
}

function jsonOf(result: unknown): string | undefined {
  try {
    return JSON.stringify(result);
  } catch {
    return undefined;
  }
}
