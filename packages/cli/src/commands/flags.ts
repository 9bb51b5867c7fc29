// Flags that several commands share. Everything is text here: the configuration checks values, so that the file, the environment and
// the flags meet the same rules.
import type { Options } from 'yargs';

const OUTPUT = 'Output:';
const PROJECT = 'Project:';
const CONNECTION = 'Connection:';

/** One value each time: `--handlers a --handlers b`, so that arguments may follow. */
const many = { type: 'string', array: true, nargs: 1 } as const;

export const json: Record<string, Options> = { json: { group: OUTPUT, type: 'boolean', describe: 'JSON on stdout' } };

export const project: Record<string, Options> = {
  cwd: { group: PROJECT, type: 'string', requiresArg: true, describe: 'Directory of the project' },
  config: {
    group: PROJECT,
    type: 'string',
    requiresArg: true,
    describe: 'Configuration file; default worker.config.{ts,js,json,yaml}',
  },
  plugins: { group: PROJECT, ...many, describe: 'Plugins by name, package or path, separated by commas' },
  handlers: { group: PROJECT, ...many, describe: "Handler modules: files or patterns, for example './handlers/*.ts'" },
};

export const connection: Record<string, Options> = {
  url: {
    group: CONNECTION,
    ...many,
    describe: 'Address of the broker, amqp:// or amqps://; several of a cluster separated by commas',
  },
};

export const management: Record<string, Options> = {
  'management-url': { group: CONNECTION, type: 'string', requiresArg: true, describe: "Address of RabbitMQ's management API" },
};

export const store: Record<string, Options> = {
  store: {
    group: CONNECTION,
    type: 'string',
    requiresArg: true,
    describe: 'Store of the plugins: lmdb:./folder (default lmdb:.warren/store), redis://, postgres:// or memory:',
  },
};
