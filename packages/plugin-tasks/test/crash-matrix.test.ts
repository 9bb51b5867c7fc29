// What a worker's death costs, wherever in a task's life it dies: the table of docs/tasks.md, run with processes that kill themselves with SIGKILL.
import { once } from 'node:events';
import { join } from 'node:path';
import { freshBroker } from '@warren/test-broker';
import test from 'ava';
import { chain } from '../src/index.js';
import { Fleet } from './_fleet.js';
import { first, second, third } from './_steps.js';
import type { CrashPoint } from './_worker-process.js';

/** How often the effect of the task that its worker dies with happens; all others happen once. */
const matrix: ReadonlyArray<readonly [point: CrashPoint, task: string, effects: number]> = [
  ['before the handler', 'first', 1],
  ['after the effect', 'first', 2],
  ['after the record', 'first', 1],
  ['after the next task was sent', 'first', 1],
  ['before the handler', 'third', 1],
  ['after the effect', 'third', 2],
  ['after the record', 'third', 1],
];

const ids: Record<string, string> = { first: 'flow.step0', second: 'flow.step1', third: 'flow' };

for (const [point, task, effects] of matrix) {
  test(`a worker that dies ${point} with the ${task} task of a chain: that one has ${effects} effect${effects > 1 ? 's' : ''}, the others one`, async (t) => {
    const { url } = await freshBroker(t);
    const fleet = new Fleet(t, { url, lease: 1_000 });
    const crashed = join(fleet.directory, 'crashed');
    const victim = await fleet.worker({ task, point, crashed });
    await fleet.producer.start();
    const handle = await fleet.producer.enqueue(chain([first, second, third]), 'in', { messageId: 'flow' });
    const [, signal] = (await once(victim, 'exit')) as [number | null, string | null];
    t.is(signal, 'SIGKILL');
    await fleet.worker();
    t.is(await handle.result({ timeout: '40s' }), 'in>first>second>third');
    const expected = Object.entries(ids).map(([name, id]) => [id, name === task ? effects : 1]);
    t.deepEqual(Object.fromEntries(fleet.effects()), Object.fromEntries(expected));
  });
}
