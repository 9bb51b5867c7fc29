// Every error of plugin-spool. A store that cannot be used is an error of @warren/store.
import { BrokerError } from '@warren/core';

/** The worker stopped before the broker had confirmed the message, which is not lost: do not publish it again. */
export class MessageKeptError extends BrokerError {
  readonly code = 'ERR_SPOOL_KEPT';
  constructor(facts: { messageId: string; cause: unknown }) {
    super(
      `Message ${facts.messageId} was not confirmed before the worker stopped. The spool keeps it: it is sent at the next start.`,
      facts,
    );
  }
}
