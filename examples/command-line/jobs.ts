import { defineJob } from '@warren/core';
import type { JobType } from '@warren/core';

export interface Letter {
  to: string;
}

export const letter: JobType<Letter> = defineJob<Letter>('letter', { queue: 'letters' });
export const reminder: JobType<Letter> = defineJob<Letter>('reminder', { queue: 'reminders' });
