// worker schedule list and run: the recurring tasks that the project's handlers define.
import { schedulesOf, tickId } from '@warren/plugin-tasks';
import type { Schedule } from '@warren/plugin-tasks';
import { ScheduleNotFoundError } from '../errors.js';
import { EXIT } from '../exit.js';
import { print, printJson, printTable, say } from '../output.js';
import type { Project } from '../project/project.js';
import { ago, shortTime } from '../start/readable.js';
import { loadTasks, openTasks } from './session.js';
import type { TaskSessionFlags } from './session.js';

export interface RunFlags extends TaskSessionFlags {
  readonly name: string;
}

/** Coming ticks that are shown. */
const NEXT = 3;

/** The last tick is what the store knows of. */
export async function list(flags: TaskSessionFlags): Promise<number> {
  await using session = await openTasks(await loadTasks(flags, 'required'));
  const rows = await Promise.all(
    schedulesIn(session.project).map(async ({ name, task, when, missed, ticks }) => {
      const last = await session.tasks.lastTick(name);
      return { name, task: task.name, when, missed, next: nextOf(ticks), last: last?.toISOString() };
    }),
  );
  if (flags.json) printJson(rows);
  else if (rows.length > 0) {
    const cells = rows.map(({ name, task, when, next: [next = ''], last }) => [
      name,
      task,
      when,
      `${next} (in ${until(next)})`,
      last && ago(last),
    ]);
    printTable(['SCHEDULE', 'TASK', 'WHEN', 'NEXT', 'LAST'], cells);
  } else say('no schedules: a handler or a task has them as its option `schedule`', flags);
  return EXIT.done;
}

/** Enqueues under the id of a tick that is now. */
export async function run(flags: RunFlags): Promise<number> {
  const project = await loadTasks(flags, 'required');
  const schedules = schedulesIn(project);
  const schedule = schedules.find(({ name }) => name === flags.name);
  if (!schedule) throw new ScheduleNotFoundError({ name: flags.name, known: schedules.map(({ name }) => name) });
  await using session = await openTasks(project);
  const now = new Date();
  await session.tasks.fire(schedule, now);
  const id = tickId(schedule, now);
  if (flags.json) printJson({ id, task: schedule.task.name });
  else print(id);
  return EXIT.done;
}

/** Each once: a schedule belongs to its task, whoever handles it. */
function schedulesIn({ definitions }: Project): Schedule[] {
  return definitions.flatMap(({ job, options }) => {
    const { schedule, task } = options;
    return schedule ? schedulesOf(schedule, { ...job, handling: { ...job.handling, task: task ?? false } }) : [];
  });
}

function nextOf(ticks: Schedule['ticks']): string[] {
  const next: string[] = [];
  for (let tick = ticks.next(new Date()); next.length < NEXT; tick = ticks.next(tick)) next.push(tick.toISOString());
  return next;
}

function until(tick: string): string {
  return shortTime(Math.max(0, Date.parse(tick) - Date.now()));
}
