import type { CommandModule } from 'yargs';
import type { DoctorFlags } from '../doctor/doctor.js';
import type { ShowFlags } from '../project/show.js';
import { commandModule } from './command.js';
import { connection, json, management, project, store } from './flags.js';

const { handlers: _, ...withoutHandlers } = project;

export const pluginsCommand: CommandModule = commandModule<ShowFlags>({
  command: 'plugins',
  describe: 'List the plugins, where they come from and the options they own',
  options: { ...withoutHandlers, ...json },
  examples: [
    ['$0 plugins --plugins delay,ratelimit', 'Whether these names are found'],
    ['$0 plugins --json', 'For programs'],
  ],
  run: async (flags) => (await import('../project/show.js')).showPlugins(flags),
});

export const configCommand: CommandModule = commandModule<ShowFlags>({
  command: 'config',
  describe: 'Show the merged configuration and where each value comes from',
  options: { ...project, ...connection, ...management, ...store, ...json },
  examples: [
    ['$0 config', 'File, environment and defaults'],
    ['$0 config --config worker.production.config.ts --json', 'Of another file, for programs'],
  ],
  run: async (flags) => (await import('../project/show.js')).showConfig(flags),
});

export const doctorCommand: CommandModule = commandModule<DoctorFlags>({
  command: 'doctor',
  describe: 'Check Node, the configuration, the broker and its topology; changes nothing',
  options: {
    'consumer-timeout': { type: 'string', requiresArg: true, describe: "The broker's consumer_timeout; default 30m" },
    ...project,
    ...connection,
    ...store,
    ...json,
  },
  examples: [
    ['$0 doctor', 'Exit code 1 if something is wrong'],
    ['$0 doctor --json --consumer-timeout 2h', 'For CI, with a broker that waits longer'],
  ],
  run: async (flags) => (await import('../doctor/doctor.js')).doctor(flags),
});
