// worker dlq purge: removes dead letters for good.
import { redactUrl } from '@warren/core';
import type { Session } from '../broker/session.js';
import { confirmed } from '../confirm.js';
import { EXIT } from '../exit.js';
import { print, printJson, say } from '../output.js';
import { readLetter } from './letter.js';
import { QueueReader } from './reader.js';
import { selectionOf } from './selection.js';
import type { Selection } from './selection.js';
import { openDeadLetters } from './session.js';
import type { DeadLetterFlags } from './session.js';

export interface PurgeFlags extends DeadLetterFlags {
  readonly yes?: boolean | undefined;
}

/** Asks first: there is no undo. */
export async function purge(flags: PurgeFlags): Promise<number> {
  const { queue } = flags;
  const selection = selectionOf(flags);
  await using session = await openDeadLetters(flags);
  await using reader = await QueueReader.open(session.broker, queue);
  const which =
    selection.text === undefined
      ? `its ${reader.count} messages`
      : `those of its ${reader.count} messages that fit: ${selection.text}`;
  if (!flags.yes && !(await confirmed(`Purging "${queue}" at ${redactUrl(session.broker.url)} loses ${which}.`))) {
    say('nothing purged', flags);
    return EXIT.failed;
  }
  const removed =
    selection.text === undefined ? await purgeAll(session, queue) : await purgeSelected(reader, { queue, selection });
  if (flags.json) printJson({ queue, found: reader.count, removed });
  else print(`${removed} of ${reader.count} removed`);
  return EXIT.done;
}

async function purgeAll({ broker }: Session, queue: string): Promise<number> {
  return (await broker.call(`Queue "${queue}"`, (channel) => channel.purgeQueue(queue))).messageCount;
}

async function purgeSelected(
  reader: QueueReader,
  { queue, selection }: { queue: string; selection: Selection },
): Promise<number> {
  let removed = 0;
  for await (const message of reader.messages()) {
    if (!selection.holds(readLetter(message, queue))) continue;
    reader.ack(message);
    removed++;
  }
  return removed;
}
