// The tasks that the processes of the crash tests share.
import { fixed } from '@warren/core';
import { defineTask } from '../src/index.js';
import type { TaskOptions } from '../src/index.js';

const options: TaskOptions = { queue: 'steps', retry: fixed({ maxAttempts: 3, delay: 100 }) };

export const first = defineTask<string>('first', options);
export const second = defineTask<string>('second', options);
export const third = defineTask<string>('third', options);
export const last = defineTask<string[]>('last', options);
