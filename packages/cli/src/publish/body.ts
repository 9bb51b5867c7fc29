// Where a body comes from: the argument itself, `@file`, or `-` for stdin.
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors.js';

/** As the command line hands on `-`. */
const STDIN = '@-';

/** A stream of bytes, and how many there will be where that is known. */
export interface Source {
  readonly stream: Readable;
  readonly bytes: number | undefined;
}

/** One body. */
export async function readBody(given: string, cwd: string): Promise<Buffer> {
  if (given === STDIN) return buffer(process.stdin);
  return given.startsWith('@') ? inFile(given, cwd, (file) => readFile(file)) : Buffer.from(given);
}

/** Many lines: of a file, or of stdin. */
export async function openLines(given: string, cwd: string): Promise<Source> {
  if (given === STDIN) return { stream: process.stdin, bytes: undefined };
  if (!given.startsWith('@'))
    throw new UsageError(`--ndjson reads lines from a file, @FILE, or from stdin, -: got ${given.slice(0, 60)}`);
  return inFile(given, cwd, async (file) => {
    const { size } = await stat(file);
    return { stream: createReadStream(file), bytes: size };
  });
}

async function inFile<T>(given: string, cwd: string, read: (file: string) => Promise<T>): Promise<T> {
  const file = resolve(cwd, given.slice(1));
  try {
    return await read(file);
  } catch (error) {
    throw new UsageError(`The file ${file} cannot be read: ${(error as Error).message}`);
  }
}
