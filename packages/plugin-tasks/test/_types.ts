// What the compiler has to take and to refuse: `tsc -b` fails otherwise. Nothing here runs.
import type { Worker } from '@warren/core';
import { chain, defineTask, group } from '../src/index.js';
import type { TaskHandle } from '../src/index.js';

interface File {
  readonly file: string;
}

const resize = defineTask<File>('resize', { queue: 'images' });
const count = defineTask<number>('count', { queue: 'numbers' });
const loose: { file?: string } = {};
const names = ['a', 'b'];

export const taken = (worker: Worker): Array<Promise<TaskHandle | TaskHandle[]>> => [
  worker.enqueue(resize, { file: 'a' }),
  worker.enqueueMany(resize, [{ file: 'a' }]),
  worker.enqueue(chain([resize, count]), { file: 'a' }),
  worker.enqueue(
    group([
      [resize, { file: 'a' }],
      [count, 5],
      [chain([count, resize]), 5],
    ]).then(count),
  ),
  worker.enqueue(group(names.map((file) => [resize, { file }])).then(count)),
];

export const refused = (worker: Worker): unknown[] => [
  // @ts-expect-error -- another payload
  worker.enqueue(resize, 5),
  // @ts-expect-error -- a payload that may lack something
  worker.enqueue(resize, loose),
  // @ts-expect-error -- a payload of unknown type
  worker.enqueue(resize, JSON.parse('{}') as unknown),
  // @ts-expect-error -- one payload among others
  worker.enqueueMany(resize, [{ file: 'a' }, 5]),
  // @ts-expect-error -- a chain's payload is its first task's
  worker.enqueue(chain([resize, count]), 5),
  // @ts-expect-error -- a member with the payload of another
  group([[count, { file: 'a' }]]),
  // @ts-expect-error -- the same where there is a list
  group(names.map((file) => [resize, { name: file }])),
  // @ts-expect-error -- a group's payloads are its members'
  worker.enqueue(group([[count, 5]]).then(count), 5),
];
