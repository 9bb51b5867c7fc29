// stdout is for results, stderr for talk.
import Table from 'cli-table3';
import { UsageError } from './errors.js';

/** Flags of every command. */
export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** How much of a listing is wanted: a whole number from 1 on. */
export function limitOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--limit: expected a whole number from 1 on, got "${text}".`);
}

/** A line of the result. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON document. */
export function printJson(value: unknown): void {
  print(escaped(JSON.stringify(value, undefined, 2)));
}

/** The same JSON, without what a terminal obeys: JSON itself escapes no control character beyond U+001F. */
export function escaped(json: string): string {
  return json.replaceAll(/[\u007F-\u009F\p{Cf}]/gu, (character) => character.split('').map(unicodeEscape).join(''));
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A line for the person at the terminal; not with --quiet. */
export function say(text: string, { quiet }: OutputFlags): void {
  if (!quiet) process.stderr.write(`${text}\n`);
}

/** Columns under a head, without lines around them; `undefined` is shown as `-`. */
export function printTable(head: readonly string[], rows: ReadonlyArray<ReadonlyArray<string | number | undefined>>): void {
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    ...(head.length > 0 && { head: [...head] }),
  });
  for (const row of rows) table.push(row.map((cell) => printable(String(cell ?? '-'))));
  print(table.toString().replaceAll(/ +$/gm, ''));
}

/** As much of a text as fits among others in a row: what comes from the broker may be of any length. */
export function short(text: string): string {
  return text.length > CELL ? `${text.slice(0, CELL)}…` : text;
}

const CELL = 60;

/** Names and bodies come from the broker: no control sequence of theirs reaches the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((part) => [part, '']),
);
