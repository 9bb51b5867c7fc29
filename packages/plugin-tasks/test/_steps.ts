// The tasks that the processes of the crash tests share.
import { fixed } from '@warren/core';
import type { JobType } from '@warren/core';
import { defineTask } from '../src/index.js';
import type { TaskOptions } from '../src/index.js';

const options: TaskOptions = { queue: 'steps', retry: fixed({ maxAttempts: 3, delay: 100 }) };

export const first: JobType<string> = defineTask<string>('first', options);
export const second: JobType<string> = defineTask<string>('second', options);
export const third: JobType<string> = defineTask<string>('third', options);
export const last: JobType<string[]> = defineTask<string[]>('last', options);
