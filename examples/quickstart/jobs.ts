import { defineJob } from '@warren/core';

/** Runs as soon as it is published. */
export const greeting = defineJob<{ name: string }>('greeting', { queue: 'quickstart.greetings' });

/** Published with a delay; `dueAt` is when it is to arrive, in milliseconds since the epoch. */
export const reminder = defineJob<{ about: string; asked: number; dueAt: number }>('reminder', { queue: 'quickstart.reminders' });

/** Published in a burst; its handler's rate limit paces it. */
export const letter = defineJob<{ number: number }>('letter', { queue: 'quickstart.letters' });
