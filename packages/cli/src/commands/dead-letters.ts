import type { Argv, CommandModule, Options } from 'yargs';
import type { SessionFlags } from '../broker/session.js';
import type { ExportFlags } from '../dead-letters/export.js';
import type { PurgeFlags } from '../dead-letters/purge.js';
import type { ReplayFlags } from '../dead-letters/replay-command.js';
import type { ShowFlags } from '../dead-letters/show.js';
import { commandModule } from './command.js';
import { connection, json, management, project } from './flags.js';

const shared: Record<string, Options> = { ...project, ...connection, ...management, ...json };
const queue = { queue: { type: 'string', describe: 'Name of the dead-letter queue', demandOption: true } } as const;

const text = { type: 'string', requiresArg: true } as const;
const group = 'Which:';
const which: Record<string, Options> = {
  where: {
    ...text,
    group,
    array: true,
    nargs: 1,
    describe: 'name=value: id, job, queue, reason, error, code, message, attempts, replays or headers.NAME; * is any text',
  },
  'older-than': { ...text, group, describe: 'Dead for so long: 7d, 1h30m or milliseconds' },
};

const list = commandModule<SessionFlags>({
  command: ['list', '$0'],
  describe: 'Dead-letter queues: how many messages, since when, and what they died of',
  options: shared,
  examples: [
    ['$0 dlq list', "The project's, or all that end in .dead with the management API"],
    ['$0 dlq list --json', 'For programs'],
  ],
  run: async (flags) => (await import('../dead-letters/list.js')).list(flags),
});

const show = commandModule<ShowFlags>({
  command: 'show <queue>',
  describe: 'Show dead letters and give them back',
  positionals: queue,
  options: { ...which, limit: { ...text, group, describe: 'At most so many; default 20' }, ...shared },
  examples: [
    ['$0 dlq show mail.dead --where error=JobTimeoutError --limit 5', 'The first five that timed out'],
    ["$0 dlq show mail.dead --json | jq -r '.[].id'", 'Their ids'],
  ],
  run: async (flags) => (await import('../dead-letters/show.js')).show(flags),
});

const replay = commandModule<ReplayFlags>({
  command: 'replay <queue>',
  describe: 'Send dead letters back to the queues that they died in',
  positionals: queue,
  options: {
    ...which,
    limit: { ...text, group, describe: 'At most so many; default all' },
    rate: { ...text, group: 'How:', describe: 'At most so many: 50/s, 30/m or 100/h' },
    to: { ...text, group: 'How:', describe: 'To this queue' },
    'keep-attempts': { group: 'How:', type: 'boolean', describe: 'Go on counting attempts where they ended' },
    'dry-run': { group: 'How:', type: 'boolean', describe: 'Say what would be sent where, and change nothing' },
    ...shared,
  },
  examples: [
    ['$0 dlq replay mail.dead --where error=JobTimeoutError --rate 50/s', 'Those that timed out, gently'],
    ['$0 dlq replay mail.dead --where headers.x-tenant=acme --dry-run', 'How many there are of one tenant'],
  ],
  run: async (flags) => (await import('../dead-letters/replay-command.js')).replay(flags),
});

const purge = commandModule<PurgeFlags>({
  command: 'purge <queue>',
  describe: 'Remove dead letters for good; asks first',
  positionals: queue,
  options: { ...which, yes: { alias: 'y', type: 'boolean', describe: 'Do not ask' }, ...shared },
  examples: [
    ['$0 dlq purge mail.dead --older-than 7d', 'Says what is lost, and asks'],
    ["$0 dlq purge mail.dead --where 'job=mail.*' --yes", 'In a script'],
  ],
  run: async (flags) => (await import('../dead-letters/purge.js')).purge(flags),
});

const exportLetters = commandModule<ExportFlags>({
  command: 'export <queue>',
  describe: 'Write dead letters as lines of JSON; they stay in the queue',
  positionals: queue,
  options: { ...which, out: { ...text, describe: 'A new file; default stdout' }, ...project, ...connection, ...management },
  examples: [
    ['$0 dlq export mail.dead --out dead.ndjson', 'Before a purge'],
    ['$0 dlq export mail.dead | jq -r \'.headers["x-error-message"]\' | sort | uniq -c', 'What went wrong, counted'],
  ],
  run: async (flags) => (await import('../dead-letters/export.js')).exportLetters(flags),
});

export const deadLettersCommand: CommandModule = {
  command: 'dlq <command>',
  describe: 'List, show, replay, purge and export dead letters',
  builder: (yargs: Argv) => yargs.command([list, show, replay, purge, exportLetters]),
  handler: () => {},
};
