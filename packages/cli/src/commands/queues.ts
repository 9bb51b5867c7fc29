import type { Argv, CommandModule, Options } from 'yargs';
import type { SessionFlags } from '../broker/session.js';
import type { QueueFlags } from '../queues/one.js';
import { commandModule } from './command.js';
import { connection, json, management, project } from './flags.js';

const shared: Record<string, Options> = { ...project, ...connection, ...management, ...json };
const name = { name: { type: 'string', describe: 'Name of the queue', demandOption: true } } as const;

const list = commandModule<SessionFlags>({
  command: ['list', '$0'],
  describe: 'Queues with ready and unacknowledged messages, and consumers',
  options: shared,
  examples: [
    ['$0 queues', 'The queues of the project, or all with the management API'],
    ['$0 queues --management-url http://localhost:15672 --json', 'For programs'],
  ],
  run: async (flags) => (await import('../queues/list.js')).listQueues(flags),
});

const inspect = commandModule<QueueFlags>({
  command: 'inspect <name>',
  describe: 'One queue: counts, arguments, bindings, and how it differs from its definition',
  positionals: name,
  options: shared,
  examples: [
    ['$0 queues inspect email', 'With what the management API tells, if it is there'],
    ['$0 queues inspect email --json', 'For programs'],
  ],
  run: async (flags) => (await import('../queues/one.js')).inspectQueue(flags),
});

const peek = commandModule<QueueFlags>({
  command: 'peek <name>',
  describe: 'Show the first messages and give them back',
  positionals: name,
  options: { limit: { type: 'string', requiresArg: true, describe: 'At most so many messages; default 10' }, ...shared },
  examples: [
    ['$0 queues peek email.dead --limit 3', 'What died'],
    ["$0 queues peek email --json | jq '.[].properties.headers'", 'Their headers'],
  ],
  run: async (flags) => (await import('../queues/one.js')).peekQueue(flags),
});

const purge = commandModule<QueueFlags>({
  command: 'purge <name>',
  describe: 'Remove all ready messages of a queue; asks first',
  positionals: name,
  options: { yes: { alias: 'y', type: 'boolean', describe: 'Do not ask' }, ...shared },
  examples: [
    ['$0 queues purge email.dead', 'Says what is lost, and asks'],
    ['$0 queues purge email.dead --yes', 'In a script'],
  ],
  run: async (flags) => (await import('../queues/one.js')).purgeQueue(flags),
});

export const queuesCommand: CommandModule = {
  command: 'queues <command>',
  describe: 'List, inspect, peek into and purge queues',
  builder: (yargs: Argv) => yargs.command([list, inspect, peek, purge]),
  handler: () => {},
};

export const exchangesCommand: CommandModule = commandModule<SessionFlags>({
  command: 'exchanges',
  describe: 'List exchanges',
  options: shared,
  examples: [
    ['$0 exchanges', 'The exchanges of the project, or all with the management API'],
    ['$0 exchanges --json', 'For programs'],
  ],
  run: async (flags) => (await import('../queues/list.js')).listExchanges(flags),
});

export const consumersCommand: CommandModule = commandModule<SessionFlags>({
  command: 'consumers',
  describe: 'List consumers (management API)',
  options: shared,
  examples: [
    ['$0 consumers', 'Who consumes which queue'],
    ['$0 consumers --management-url http://localhost:15672 --json', 'For programs'],
  ],
  run: async (flags) => (await import('../queues/list.js')).listConsumers(flags),
});
