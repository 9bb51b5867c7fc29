import type { CommandModule } from 'yargs';
import type { BrokerFlags } from '../embedded/serve.js';
import { commandModule } from './command.js';
import { json } from './flags.js';

const broker = { group: 'Broker:', type: 'string', requiresArg: true } as const;

export const brokerCommand: CommandModule = commandModule<BrokerFlags>({
  command: 'broker',
  describe: 'Run an embedded broker for development, until SIGINT or SIGTERM',
  options: {
    port: { ...broker, describe: 'Default 5672; 0 is any free port' },
    host: { ...broker, describe: 'What to listen on; default localhost' },
    data: { ...broker, describe: 'Directory for durable queues and persistent messages; by default nothing is kept' },
    'management-port': { ...broker, describe: "Port on loopback for RabbitMQ's HTTP API; 0 is any free one" },
    compat: { ...broker, choices: ['3.x', '4.x'], describe: 'Which RabbitMQ to behave like where they differ; default 3.x' },
    'allow-production': { group: 'Broker:', type: 'boolean', describe: 'Start although NODE_ENV is production' },
    ...json,
  },
  examples: [
    ['$0 broker', 'At amqp://localhost, in memory'],
    ['$0 broker --port 5673 --data ./broker --management-port 15673', 'Keeps what is durable, and answers worker queues'],
  ],
  run: async (flags) => (await import('../embedded/serve.js')).serve(flags),
});
