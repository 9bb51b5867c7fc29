import { defineJob } from '@warren/core';
import type { JobType } from '@warren/core';

/** Runs as soon as it is published. */
export const greeting: JobType<{ name: string }> = defineJob('greeting', { queue: 'quickstart.greetings' });

/** Published with a delay. */
export const reminder: JobType<{ about: string }> = defineJob('reminder', { queue: 'quickstart.reminders' });

/** Published in a burst; its handler's rate limit paces it. */
export const letter: JobType<{ number: number }> = defineJob('letter', { queue: 'quickstart.letters' });
