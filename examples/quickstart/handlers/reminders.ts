import { HEADERS, LOGGER } from '@warren/core';
import type { Job, Worker } from '@warren/core';
import { reminder } from '../jobs.js';

/** How late it is: plugin-delay says in the message's headers what was asked for. */
function timing({ properties: { headers = {} } }: Job): string {
  const { [HEADERS.delayMs]: asked, [HEADERS.delayDue]: due } = headers;
  if (typeof asked !== 'number' || typeof due !== 'number') return 'not delayed';
  return `asked for ${asked} ms, took ${asked + Date.now() - due} ms`;
}

export default (worker: Worker): void => {
  const log = worker.resolve(LOGGER);
  worker.handle(reminder, (job) => {
    log.info({}, `Reminder: ${job.payload.about} (${timing(job)})`);
  });
};
