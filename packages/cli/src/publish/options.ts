// What a message's flags say to the publisher.
import { InvalidOptionError, milliseconds } from '@warren/core';
import type { Duration, PublishOptions } from '@warren/core';
import { UsageError } from '../errors.js';

/** The flags of `worker publish` and `worker enqueue` alike. */
export interface MessageFlags {
  readonly header?: readonly string[] | undefined;
  readonly delay?: string | undefined;
  readonly at?: string | undefined;
}

/** Delays are options of plugin-delay, which is there where they are. */
export function messageOptions({ header = [], delay, at }: MessageFlags): PublishOptions {
  if (delay !== undefined && at !== undefined) throw new UsageError('Give --delay or --at, not both.');
  return {
    headers: headersOf(header),
    ...(delay !== undefined && { delay: milliseconds(durationOf(delay), '--delay') }),
    ...(at !== undefined && { at: dateOf(at) }),
  };
}

/** A bare number is milliseconds, as everywhere. */
export function durationOf(text: string): Duration {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** A whole number, for an option that the publisher checks further. */
export function wholeOf(text: string, option: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidOptionError({ option, expected: 'a whole number', got: text });
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new UsageError(`--at: expected a date such as 2030-01-31T12:00:00Z, got "${text}".`);
  return date;
}

function headersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((header) => {
      const at = header.indexOf('=');
      if (at < 1) throw new UsageError(`--header: expected name=value, got "${header}".`);
      return [header.slice(0, at), header.slice(at + 1)];
    }),
  );
}
