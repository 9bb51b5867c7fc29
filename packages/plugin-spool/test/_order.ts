import { defineJob } from '@warren/core';
import type { JobType } from '@warren/core';

/** Its queue is declared by nobody but who publishes to it first; classic, because a young quorum queue does not survive the kill of its node: docs/connection-and-guarantees.md. */
export const order: JobType<string> = defineJob<string>('order', {
  queue: { name: 'orders', type: 'classic', deadLetter: false },
  codec: 'text',
});
