import { StoreLimitError } from './errors.js';

const KEY_BYTES = 500;
const VALUE_BYTES = 256 * 1024;

/** Milliseconds: the longest time for which a record can be put, ten years. */
export const LONGEST_TTL: number = 10 * 365 * 24 * 60 * 60 * 1_000;

/** Neither survives every store: PostgreSQL has no text with NUL, and half a surrogate pair is no UTF-8. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

export function checkKey(key: string): void {
  if (key === '') throw new StoreLimitError({ what: 'A key', limit: `1 to ${KEY_BYTES} bytes`, got: 'none' });
  checkPrefix(key);
}

export function checkPrefix(prefix: string): void {
  checkText('A key', prefix, KEY_BYTES);
}

export function checkValue(value: string): void {
  checkText('A value', value, VALUE_BYTES);
}

export function checkTtl(ttl: number | undefined): void {
  if (ttl === undefined || (Number.isSafeInteger(ttl) && ttl >= 1 && ttl <= LONGEST_TTL)) return;
  throw new StoreLimitError({ what: 'A ttl', limit: 'whole milliseconds, from 1 to those of ten years', got: String(ttl) });
}

function checkText(what: string, text: string, bytes: number): void {
  const size = Buffer.byteLength(text);
  if (size > bytes) throw new StoreLimitError({ what, limit: `${bytes} bytes`, got: `${size}` });
  if (!UNSTORABLE.test(text)) return;
  throw new StoreLimitError({ what, limit: 'well-formed Unicode without NUL', got: JSON.stringify(text.slice(0, 100)) });
}
