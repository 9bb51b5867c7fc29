// Which dead letters a command means: `--where name=value`, all of which must hold, and `--older-than`.
import { InvalidOptionError, milliseconds } from '@warren/core';
import { UsageError } from '../errors.js';
import type { DeadLetter } from './letter.js';

export interface SelectionFlags {
  readonly where?: readonly string[] | undefined;
  readonly 'older-than'?: string | undefined;
}

export interface Selection {
  /** For messages: `job=mail.send, older than 7d`; undefined where it is all. */
  readonly text: string | undefined;
  readonly holds: (letter: DeadLetter) => boolean;
}

/** A letter without the field fits no pattern, not even `*`. */
const FIELDS: Record<string, (letter: DeadLetter) => string | undefined> = {
  id: ({ id }) => id,
  job: ({ job }) => job,
  queue: ({ queue }) => queue,
  reason: ({ reason }) => reason,
  error: ({ error }) => error,
  code: ({ code }) => code,
  message: ({ errorMessage }) => errorMessage,
  attempts: ({ attempts }) => attempts?.toString(),
  replays: ({ replays }) => replays.toString(),
};
const HEADER = 'headers.';

type Holds = Selection['holds'];

/** Throws `ERR_INVALID_OPTION` or `ERR_USAGE` for what is no selection. */
export function selectionOf({ where = [], 'older-than': olderThan }: SelectionFlags): Selection {
  const conditions = where.map(conditionOf);
  if (olderThan !== undefined) conditions.push(olderThanOf(olderThan));
  const texts = [...where, ...(olderThan === undefined ? [] : [`older than ${olderThan}`])];
  return { text: texts.join(', ') || undefined, holds: (letter) => conditions.every((condition) => condition(letter)) };
}

function conditionOf(text: string): Holds {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--where: expected name=value, for example error=TimeoutError, got "${text}".`);
  const field = fieldOf(text.slice(0, at));
  const pattern = text.slice(at + 1);
  return (letter) => {
    const value = field(letter);
    return value !== undefined && fits(pattern, value);
  };
}

function fieldOf(name: string): (letter: DeadLetter) => string | undefined {
  if (name.startsWith(HEADER) && name.length > HEADER.length)
    return ({ message }) => headerText(message.properties.headers ?? {}, name.slice(HEADER.length));
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (field) return field;
  throw new InvalidOptionError({
    option: '--where',
    expected: `one of ${Object.keys(FIELDS).join(', ')}, headers.NAME`,
    got: name,
  });
}

function headerText(headers: Record<string, unknown>, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

/** A letter of which nobody knows when it died is not older than anything. */
function olderThanOf(text: string): Holds {
  const ms = milliseconds(/^\d+$/.test(text) ? Number(text) : text, '--older-than');
  const before = Date.now() - ms;
  return ({ diedAt }) => diedAt !== undefined && diedAt.getTime() <= before;
}

/** Whether `text` is `pattern`, in which `*` is any text; case counts. Linear in both, unlike a regular expression. */
export function fits(pattern: string, text: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return text === pattern;
  if (!text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}
