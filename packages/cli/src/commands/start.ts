import type { CommandModule } from 'yargs';
import type { StartFlags } from '../start/start.js';
import { commandModule } from './command.js';
import { connection, json, project, store } from './flags.js';

const work = { group: 'Work:', type: 'string', requiresArg: true } as const;

export const startCommand: CommandModule = commandModule<StartFlags>({
  command: 'start',
  describe: 'Run a worker until SIGINT or SIGTERM',
  options: {
    ...project,
    // A shell that expands the pattern gives many files at once.
    handlers: {
      group: 'Project:',
      type: 'string',
      array: true,
      describe: "Handler modules: files or patterns, for example './handlers/*.ts'",
    },
    ...connection,
    ...store,
    'embedded-broker': {
      group: 'Connection:',
      type: 'boolean',
      describe: 'Where no broker is configured or found: start one, in production too; --no-embedded-broker: never',
    },
    concurrency: { ...work, describe: 'Runs at a time of each handler' },
    prefetch: { ...work, describe: 'Unsettled deliveries at a time for each queue; 0 is no limit' },
    'shutdown-timeout': { ...work, describe: 'How long a stop may take; default 25s' },
    watch: { group: 'Work:', type: 'boolean', describe: 'Restart when a file of the project changes' },
    'log-level': { group: 'Output:', type: 'string', requiresArg: true, describe: 'trace, debug, info, warn, error or silent' },
    ...json,
  },
  examples: [
    ["$0 start --plugins delay,ratelimit --handlers './handlers/*.ts'", 'Run the handlers with two plugins'],
    ['$0 start --url amqp://broker --concurrency 10 --watch', 'Settings from worker.config.ts, restarted on changes'],
  ],
  run: async (flags) => {
    const { start } = await import('../start/start.js');
    // A handler's module may have opened what keeps a process alive: the worker's end is the end.
    return process.exit(await start(flags));
  },
});
