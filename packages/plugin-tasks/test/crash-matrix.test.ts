// What a worker's death costs, wherever in a task's life it dies: the table of docs/tasks.md, run with processes that kill themselves with SIGKILL.
import { once } from 'node:events';
import { join } from 'node:path';
import { startPostgres, startRedis, withPostgres, withRedis } from '@warren/store-servers';
import { freshBroker } from '@warren/test-broker';
import test from 'ava';
import type { ExecutionContext } from 'ava';
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

/** A worker dies at a point of a chain, and another goes on. The id of each task, with how often its effect happened. */
async function effectsOf(
  t: ExecutionContext,
  { task, point }: { task: string; point: CrashPoint },
  store?: string,
): Promise<Record<string, number>> {
  const { url } = await freshBroker(t);
  const fleet = new Fleet(t, { url, lease: 1_000, ...(store !== undefined && { store }) });
  const crashed = join(fleet.directory, 'crashed');
  const victim = await fleet.worker({ task, point, crashed });
  await fleet.producer.start();
  const handle = await fleet.producer.enqueue(chain([first, second, third]), 'in', { messageId: 'flow' });
  const [, signal] = (await once(victim, 'exit')) as [number | null, string | null];
  t.is(signal, 'SIGKILL');
  await fleet.worker();
  t.is(await handle.result({ timeout: '90s' }), 'in>first>second>third');
  return Object.fromEntries(fleet.effects());
}

/** One effect each, but for those of `task`. */
function expected(task: string, effects: number): Record<string, number> {
  return Object.fromEntries(Object.entries(ids).map(([name, id]) => [id, name === task ? effects : 1]));
}

/** The whole table on the embedded broker: in the second run, on RabbitMQ, it is the broker that is tested. */
const rows = process.env['WARREN_TEST_BROKER'] === 'rabbitmq' ? matrix.slice(0, 2) : matrix;

for (const [point, task, effects] of rows) {
  const times = effects > 1 ? 'twice' : 'once';
  test(`a worker that dies ${point}, with the ${task} task of a chain: that has its effect ${times}, the others once`, async (t) => {
    t.deepEqual(await effectsOf(t, { task, point }), expected(task, effects));
  });
}

for (const [server, start, withServer] of [
  ['Redis', startRedis, withRedis],
  ['PostgreSQL', startPostgres, withPostgres],
] as const) {
  withServer(test)(`with ${server}, too, a task whose worker dies after its record was written does not run again`, async (t) => {
    const running = await start();
    t.teardown(() => running[Symbol.asyncDispose]());
    t.deepEqual(await effectsOf(t, { task: 'second', point: 'after the record' }, running.url), expected('second', 1));
  });
}
