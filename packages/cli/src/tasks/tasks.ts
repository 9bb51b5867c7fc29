// worker tasks list, show and cancel: what the store knows of tasks.
import { InvalidOptionError } from '@warren/core';
import { TASK_STATES } from '@warren/plugin-tasks';
import type { TaskRecord, TaskState } from '@warren/plugin-tasks';
import { TaskNotCancelledError } from '../errors.js';
import { EXIT } from '../exit.js';
import { limitOf, print, printJson, printTable, say } from '../output.js';
import { ago } from '../start/readable.js';
import { loadTasks, openTasks } from './session.js';
import type { TaskSessionFlags } from './session.js';

export interface ListFlags extends TaskSessionFlags {
  readonly state?: string | undefined;
  readonly task?: string | undefined;
  readonly limit?: string | undefined;
}

export interface TaskFlags extends TaskSessionFlags {
  readonly id: string;
}

/** The latest, newest first. */
export async function list(flags: ListFlags): Promise<number> {
  const limit = limitOf(flags.limit, 50);
  const state = stateOf(flags.state);
  await using session = await openTasks(await loadTasks(flags, 'none'));
  const newest = new Newest(limit);
  const filter = { ...(state !== undefined && { state }), ...(flags.task !== undefined && { task: flags.task }) };
  for await (const record of session.tasks.list(filter)) newest.add(record);
  const records = newest.records();
  if (flags.json) printJson(records.map(withoutContents));
  else if (records.length > 0) printTable(['ID', 'TASK', 'STATE', 'ATTEMPTS', 'ENQUEUED', 'DETAILS'], records.map(rowOf));
  say(`${records.length} of ${newest.count} shown`, flags);
  return EXIT.done;
}

/** Results and checkpoints may be large: `show` has them. */
function withoutContents(record: TaskRecord): object {
  const { result: _, checkpoint: __, ...facts } = record;
  return facts;
}

/** Of any number of records the newest so many, without holding many more. */
class Newest {
  readonly #limit: number;
  #records: TaskRecord[] = [];
  count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(record: TaskRecord): void {
    this.count++;
    this.#records.push(record);
    if (this.#records.length >= 2 * this.#limit + 100) this.#records = this.records();
  }

  records(): TaskRecord[] {
    return this.#records.toSorted((a, b) => b.createdAt - a.createdAt || a.id.localeCompare(b.id)).slice(0, this.#limit);
  }
}

function stateOf(text: string | undefined): TaskState | undefined {
  const state = TASK_STATES.find((state) => state === text);
  if (text === undefined || state) return state;
  throw new InvalidOptionError({ option: '--state', expected: `one of ${TASK_STATES.join(', ')}`, got: text });
}

function rowOf({ id, task, state, attempts, createdAt, ...rest }: TaskRecord): Array<string | number | undefined> {
  return [id, task, state, attempts, ago(new Date(createdAt).toISOString()), detailsOf({ state, ...rest })];
}

/** What matters of a task in its state. */
function detailsOf({
  state,
  worker,
  progress,
  dueAt,
  error,
}: Pick<TaskRecord, 'state' | 'worker' | 'progress' | 'dueAt' | 'error'>): string {
  const failed = error && `${error.name}: ${error.message.slice(0, 100)}`;
  const running = state === 'running' ? [worker, progress === undefined ? undefined : `${Math.round(progress * 100)} %`] : [];
  const waiting = dueAt === undefined ? [] : [`due ${new Date(dueAt).toISOString()}`];
  return [...running, ...waiting, state === 'succeeded' ? undefined : failed].filter(Boolean).join('  ');
}

/** All that the record holds. */
export async function show(flags: TaskFlags): Promise<number> {
  await using session = await openTasks(await loadTasks(flags, 'none'));
  const record = await session.tasks.handle(flags.id).record();
  if (flags.json) printJson(record);
  else
    printTable(
      [],
      Object.entries(record).map(([fact, value]) => [fact, shown(fact, value)]),
    );
  return EXIT.done;
}

function shown(fact: string, value: unknown): string {
  if (typeof value === 'number' && fact.endsWith('At')) return new Date(value).toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A task that has not begun, or waits for its next attempt. */
export async function cancel(flags: TaskFlags): Promise<number> {
  const { id } = flags;
  await using session = await openTasks(await loadTasks(flags, 'none'));
  const handle = session.tasks.handle(id);
  if (!(await handle.cancel())) throw new TaskNotCancelledError({ id, state: await handle.state() });
  if (flags.json) printJson({ id, cancelled: true });
  else print('cancelled');
  return EXIT.done;
}
