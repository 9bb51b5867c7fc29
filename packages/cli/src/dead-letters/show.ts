// worker dlq show: dead letters with what is known of each.
import { EXIT } from '../exit.js';
import { limitOf, printJson, printTable, say, short } from '../output.js';
import { ago } from '../start/readable.js';
import { readLetter } from './letter.js';
import type { DeadLetter } from './letter.js';
import { QueueReader } from './reader.js';
import { selectionOf } from './selection.js';
import { openDeadLetters } from './session.js';
import type { DeadLetterFlags } from './session.js';

export interface ShowFlags extends DeadLetterFlags {
  readonly limit?: string | undefined;
}

/** Characters of a body in JSON. */
const JSON_BODY = 2_000;

/** The first that are selected; all go back to their places. */
export async function show(flags: ShowFlags): Promise<number> {
  const [selection, limit] = [selectionOf(flags), limitOf(flags.limit, 20)];
  await using session = await openDeadLetters(flags);
  await using reader = await QueueReader.open(session.broker, flags.queue);
  const shown: Array<ReturnType<typeof factsOf>> = [];
  for await (const message of reader.messages()) {
    const letter = readLetter(message, flags.queue);
    if (selection.holds(letter)) shown.push(factsOf(letter));
    if (shown.length >= limit) break;
  }
  if (flags.json) printJson(shown);
  else if (shown.length > 0) printTable(['ID', 'JOB', 'DIED', 'ATTEMPTS', 'REASON', 'PAYLOAD'], shown.map(rowOf));
  const of = selection.text === undefined ? '' : ` of ${reader.taken} looked at`;
  say(`${shown.length}${of} shown, ${reader.count} in ${flags.queue}`, flags);
  return EXIT.done;
}

function factsOf(letter: DeadLetter) {
  const { message, diedAt, errorMessage, ...known } = letter;
  const { content, properties } = message;
  const set = Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
  const text = content.subarray(0, 4 * JSON_BODY).toString();
  return {
    ...known,
    message: errorMessage,
    diedAt: diedAt?.toISOString(),
    bytes: content.length,
    properties: set,
    body: text.length > JSON_BODY || content.length > 4 * JSON_BODY ? `${text.slice(0, JSON_BODY)}…` : text,
  };
}

function rowOf({ id, job, diedAt, attempts, reason, body }: ReturnType<typeof factsOf>): Array<string | number | undefined> {
  return [id, job, diedAt === undefined ? undefined : ago(diedAt), attempts, reason && short(reason), short(body)];
}
