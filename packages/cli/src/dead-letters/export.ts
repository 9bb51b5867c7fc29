// worker dlq export: dead letters as lines of JSON. They stay in the queue.
import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GetMessage } from 'amqplib';
import { FileExistsError, UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { escaped, say } from '../output.js';
import { readLetter } from './letter.js';
import { QueueReader } from './reader.js';
import { selectionOf } from './selection.js';
import type { Selection } from './selection.js';
import { openDeadLetters } from './session.js';
import type { DeadLetterFlags } from './session.js';

export interface ExportFlags extends DeadLetterFlags {
  readonly out?: string | undefined;
}

/** All are written before any is given back: what is written was there at one moment. */
export async function exportLetters(flags: ExportFlags): Promise<number> {
  const selection = selectionOf(flags);
  await using session = await openDeadLetters(flags);
  const file = flags.out === undefined ? undefined : resolve(session.project.config.cwd, flags.out);
  if (file !== undefined && existsSync(file)) throw new FileExistsError({ file });
  await using reader = await QueueReader.open(session.broker, flags.queue);
  let exported = 0;
  const lines = Readable.from(linesOf({ reader, selection, queue: flags.queue, onLine: () => exported++ }));
  if (file === undefined) await pipeline(lines, process.stdout, { end: false });
  else await toFile(lines, file);
  say(`${exported} of ${reader.count} exported; they stay in ${flags.queue}`, flags);
  return EXIT.done;
}

interface Source {
  readonly reader: QueueReader;
  readonly selection: Selection;
  readonly queue: string;
  readonly onLine: () => void;
}

async function* linesOf({ reader, selection, queue, onLine }: Source): AsyncGenerator<string> {
  for await (const message of reader.messages()) {
    if (!selection.holds(readLetter(message, queue))) continue;
    onLine();
    yield `${lineOf(message)}\n`;
  }
}

/** The file is there when it is whole. */
async function toFile(lines: Readable, file: string): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(lines, createWriteStream(part, { flush: true }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    if (!('syscall' in (error as Error))) throw error;
    throw new UsageError(`The file ${file} cannot be written: ${(error as Error).message}`);
  }
}

function lineOf({ fields, properties, content }: GetMessage): string {
  const { headers = {}, ...rest } = properties;
  const { exchange, routingKey, redelivered } = fields;
  return escaped(JSON.stringify({ exchange, routingKey, redelivered, properties: rest, headers, ...bodyOf(content) }, withBytes));
}

/** Text where the bytes are that and nothing else, so that they can be made of it again. */
function bodyOf(content: Buffer): { body: string } | { base64: string } {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content) };
  } catch {
    return { base64: content.toString('base64') };
  }
}

/** Bytes in headers. */
function withBytes(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return Buffer.isBuffer(original) ? { base64: original.toString('base64') } : value;
}
