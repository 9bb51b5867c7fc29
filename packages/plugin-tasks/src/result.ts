import { deadLetter } from '@warren/core';
import type { Outcome } from '@warren/core';
import { TaskResultError } from './errors.js';
import type { TaskRecord } from './record.js';

export interface KeptResult {
  readonly outcome: Outcome;
  readonly result?: unknown;
  readonly resultOmitted?: string;
}

/** What the record keeps of a result: all of it, or why not. A task that has another one after it fails where its result cannot be kept: the other would run on nothing. */
export function resultOf(outcome: Outcome, { task, next, join }: TaskRecord, maxBytes: number): KeptResult {
  if (outcome.kind !== 'ack' || outcome.result === undefined) return { outcome };
  const why = whyOmitted(outcome.result, maxBytes);
  if (why === undefined) return { outcome, result: outcome.result };
  const isNeeded = next !== undefined || join !== undefined;
  return isNeeded ? { outcome: deadLetter(new TaskResultError({ task, why })) } : { outcome, resultOmitted: why };
}

function whyOmitted(result: unknown, maxBytes: number): string | undefined {
  try {
    const text = JSON.stringify(result) as string | undefined;
    if (text === undefined) return `it is no JSON, but a ${typeof result}`;
    const bytes = Buffer.byteLength(text);
    return bytes > maxBytes ? `it has ${bytes} bytes of JSON, and ${maxBytes} are kept` : undefined;
  } catch (error) {
    return `it is no JSON: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
  }
}
