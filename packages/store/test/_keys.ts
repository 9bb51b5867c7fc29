import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { ListedEntry, Store } from '../src/index.js';

/** A prefix that nobody else uses. */
export function ownPrefix(): string {
  return `${randomUUID()}/`;
}

export async function listed(store: Store, prefix: string): Promise<ListedEntry[]> {
  const entries = [];
  for await (const entry of store.list(prefix)) entries.push(entry);
  return entries;
}

/** Resolves when a record has expired. */
export async function gone(store: Store, key: string): Promise<void> {
  while (await store.get(key)) await delay(1);
}

/** Parts of keys that some store might take for something else: patterns, escapes, quotes, case, order, several bytes. */
const HARD_PARTS = [
  '*',
  '?',
  '[',
  ']',
  '[a-z]',
  '^',
  '\\',
  '%',
  '_',
  '.',
  '/',
  ':',
  '{',
  '}',
  "'",
  '"',
  '$1',
  ' ',
  '\n',
  '\x01',
  '\x7f',
  'a',
  'A',
  'ä',
  'a\u0308',
  'ß',
  '漢',
  '🐇',
  '\uffff',
  '\u{10ffff}',
];

/** Keys that begin with one another, made of few and awkward parts. */
export const hardKey: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...HARD_PARTS), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));

/** Any text that a store takes. */
export const text: fc.Arbitrary<string> = fc.string({ unit: 'binary', maxLength: 200 }).filter((value) => !value.includes('\0'));
