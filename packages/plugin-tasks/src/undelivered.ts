// A task that dies before its own layer has seen it: its payload does not fit the schema, or nobody in its queue handles it. All that is
// heard of it is the copy on its way to the dead-letter queue.
import { HEADERS } from '@warren/core';
import type { Clock, Logger, Message } from '@warren/core';
import type { Continuations } from './continuations.js';
import type { Ledger } from './ledger.js';
import { errorOf, isCancellable, settled } from './record.js';
import type { TaskError, TaskRecord } from './record.js';

export interface UndeliveredParts {
  readonly ledger: Ledger;
  readonly continuations: Continuations;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A copy of a delivery that goes elsewhere, marked as dead. */
export function isDeadLetter({ copyOf, exchange, routingKey, properties }: Message): boolean {
  if (!copyOf || properties.headers?.[HEADERS.diedAt] === undefined) return false;
  return exchange !== '' || routingKey !== copyOf.queue;
}

/** Ends the record of a dead letter's task, where that has not been done. The letter is sent already: without a store the record stays as it is. */
export async function endUndelivered(letter: Message, parts: UndeliveredParts): Promise<void> {
  const { ledger, continuations, clock, logger } = parts;
  const { messageId: id, type: task, headers } = letter.properties;
  if (id === undefined) return;
  const end = (found: TaskRecord): TaskRecord | undefined => {
    if (found.task !== task || found.queue !== letter.copyOf?.queue || !isCancellable(found)) return undefined;
    return settled(found, { state: 'dead', finishedAt: clock.now(), error: errorIn(headers) });
  };
  try {
    const record = await ledger.tasks.change(id, end);
    if (record?.state === 'dead') await continuations.abandon(record);
  } catch (error) {
    logger.warn({ err: error, task: id }, 'a task is dead, and its record could not be written');
  }
}

function errorIn(headers: Message['properties']['headers'] = {}): TaskError {
  const { [HEADERS.errorName]: name, [HEADERS.errorCode]: code, [HEADERS.errorMessage]: message } = headers;
  return errorOf(Object.assign(new Error(String(message)), { name: String(name), code }));
}
