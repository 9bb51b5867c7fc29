import type { CommandModule } from 'yargs';
import type { PublishFlags } from '../publish/publish.js';
import { commandModule } from './command.js';
import { connection, json, project, store } from './flags.js';

const message = { group: 'Message:', type: 'string', requiresArg: true } as const;

export const publishCommand: CommandModule = commandModule<PublishFlags>({
  command: 'publish [exchange] [routing-key] [body]',
  describe: 'Publish a message, or with --job a job whose payload is validated',
  positionals: {
    exchange: {
      type: 'string',
      describe: "'' is the default exchange, whose routing keys are queues; with --job the only argument, the payload",
    },
    'routing-key': { type: 'string', describe: 'Routing key' },
    body: { type: 'string', describe: 'Text, @FILE, or - for stdin' },
  },
  options: {
    job: { ...message, describe: 'Name of a job that a handler module defines' },
    header: { ...message, array: true, nargs: 1, describe: 'A header, name=value' },
    'content-type': { ...message, describe: 'Content type of a raw message' },
    'message-id': { ...message, describe: 'Default: a random UUID' },
    delay: { ...message, describe: 'Arrive later: 10m, 1h30m or milliseconds (plugin delay)' },
    at: { ...message, describe: 'Arrive at a time: 2030-01-31T12:00:00Z (plugin delay)' },
    mandatory: {
      group: 'Message:',
      type: 'boolean',
      describe: 'Fail where no queue takes it; on by default, off with --no-mandatory',
    },
    ndjson: { group: 'Message:', type: 'boolean', describe: 'Each line of @FILE or stdin is a message, in JSON' },
    rate: { ...message, describe: 'At most so many lines: 200/s, 30/m or 100/h' },
    ...project,
    ...connection,
    ...store,
    ...json,
  },
  examples: [
    ['$0 publish \'\' emails \'{"to":"a@b.example"}\' --delay 10m', 'Into the queue emails, in ten minutes'],
    ["$0 publish --job email.welcome --handlers './handlers/*.ts' --ndjson @users.ndjson --rate 200/s", 'A job for each line'],
  ],
  run: async (flags) => (await import('../publish/publish.js')).publish(flags),
});
