import type { Argv, CommandModule, Options } from 'yargs';
import type { EnqueueFlags } from '../tasks/enqueue.js';
import type { RunFlags } from '../tasks/schedules.js';
import type { TaskSessionFlags } from '../tasks/session.js';
import type { ListFlags, TaskFlags } from '../tasks/tasks.js';
import { commandModule } from './command.js';
import { connection, json, project, store } from './flags.js';

const text = { type: 'string', requiresArg: true } as const;
const message = { group: 'Task:', ...text } as const;
const shared: Record<string, Options> = { ...project, ...connection, ...store, ...json };

export const enqueueCommand: CommandModule = commandModule<EnqueueFlags>({
  command: 'enqueue <task> [payload]',
  describe: 'Enqueue a task, whose payload is validated',
  positionals: {
    task: { type: 'string', describe: 'Name of a task that a handler module defines', demandOption: true },
    payload: { type: 'string', describe: 'JSON, @FILE, or - for stdin; default none' },
  },
  options: {
    delay: { ...message, describe: 'Run later: 10m, 1h30m or milliseconds' },
    at: { ...message, describe: 'Run at a time: 2030-01-31T12:00:00Z' },
    priority: { ...message, describe: "0 to 255, by what the task's queue has" },
    unique: { ...message, describe: 'A key: nothing is enqueued while another task has it' },
    'expires-in': { ...message, describe: 'Not worth running any more after 1h, 2d or milliseconds' },
    id: { ...message, describe: "The task's id; default a random UUID. Under one id a task runs once" },
    header: { ...message, array: true, nargs: 1, describe: 'A header, name=value' },
    ndjson: { group: 'Task:', type: 'boolean', describe: 'Each line of @FILE or stdin is the payload of a task, in JSON' },
    rate: { ...message, describe: 'At most so many lines: 200/s, 30/m or 100/h' },
    ...shared,
  },
  examples: [
    ['$0 enqueue image.resize \'{"file":"a.png"}\' --delay 10m', 'In ten minutes; prints the id'],
    ['cat users.ndjson | $0 enqueue email.welcome --ndjson --rate 200/s', 'A task for each line'],
  ],
  run: async (flags) => (await import('../tasks/enqueue.js')).enqueue(flags),
});

const id = { id: { type: 'string', describe: "The task's id", demandOption: true } } as const;

const list = commandModule<ListFlags>({
  command: ['list', '$0'],
  describe: 'The latest tasks that the store knows, newest first',
  options: {
    state: { ...text, describe: 'Only those in this state: queued, scheduled, running, retrying, succeeded, dead …' },
    task: { ...text, describe: 'Only those of this name' },
    limit: { ...text, describe: 'At most so many; default 50' },
    ...shared,
  },
  examples: [
    ['$0 tasks list --state dead', 'What failed for good'],
    ["$0 tasks list --task image.resize --json | jq '.[].progress'", 'How far they are'],
  ],
  run: async (flags) => (await import('../tasks/tasks.js')).list(flags),
});

const show = commandModule<TaskFlags>({
  command: 'show <id>',
  describe: 'All that is known of a task: state, times, progress, result, last error',
  positionals: id,
  options: shared,
  examples: [
    ['$0 tasks show 0193b2c7', 'One line for each fact'],
    ['$0 tasks show 0193b2c7 --json | jq .result', 'What it returned'],
  ],
  run: async (flags) => (await import('../tasks/tasks.js')).show(flags),
});

const retry = commandModule<TaskFlags>({
  command: 'retry <id>',
  describe: 'Run a dead task again, by its message in the dead-letter queue',
  positionals: id,
  options: shared,
  examples: [
    ['$0 tasks retry 0193b2c7', 'As its first attempt'],
    ["$0 tasks list --state dead --json | jq -r '.[].id' | xargs -n1 $0 tasks retry", 'All that the list shows'],
  ],
  run: async (flags) => (await import('../tasks/retry.js')).retry(flags),
});

const cancel = commandModule<TaskFlags>({
  command: 'cancel <id>',
  describe: 'Cancel a task that has not begun, or waits for its next attempt',
  positionals: id,
  options: shared,
  examples: [
    ['$0 tasks cancel 0193b2c7', 'Exit code 1 if it is too late'],
    ['$0 tasks cancel 0193b2c7 --json', 'For programs'],
  ],
  run: async (flags) => (await import('../tasks/tasks.js')).cancel(flags),
});

export const tasksCommand: CommandModule = {
  command: 'tasks <command>',
  describe: 'List, show, retry and cancel tasks',
  builder: (yargs: Argv) => yargs.command([list, show, retry, cancel]),
  handler: () => {},
};

const listSchedules = commandModule<TaskSessionFlags>({
  command: ['list', '$0'],
  describe: 'Recurring tasks, when each runs next and when it ran last',
  options: shared,
  examples: [
    ["$0 schedule list --handlers './handlers/*.ts'", 'Those that these modules define'],
    ['$0 schedule list --json', 'For programs'],
  ],
  run: async (flags) => (await import('../tasks/schedules.js')).list(flags),
});

const runSchedule = commandModule<RunFlags>({
  command: 'run <name>',
  describe: 'Enqueue the task of a schedule now; its ticks stay as they are',
  positionals: { name: { type: 'string', describe: 'Name of the schedule', demandOption: true } },
  options: shared,
  examples: [
    ['$0 schedule run report.nightly', "Prints the task's id"],
    ['$0 schedule run report.nightly --json', 'For programs'],
  ],
  run: async (flags) => (await import('../tasks/schedules.js')).run(flags),
});

export const scheduleCommand: CommandModule = {
  command: 'schedule <command>',
  describe: 'List recurring tasks, and run one now',
  builder: (yargs: Argv) => yargs.command([listSchedules, runSchedule]),
  handler: () => {},
};
