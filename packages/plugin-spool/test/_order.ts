import { defineJob } from '@warren/core';
import type { JobType } from '@warren/core';

/** A queue that nobody declares but who publishes to it first. */
export const order: JobType<string> = defineJob<string>('order', { queue: 'orders', codec: 'text' });
