import type { CommandModule } from 'yargs';
import { brokerCommand } from './broker.js';
import { deadLettersCommand } from './dead-letters.js';
import { configCommand, doctorCommand, pluginsCommand } from './project.js';
import { publishCommand } from './publish.js';
import { consumersCommand, exchangesCommand, queuesCommand } from './queues.js';
import { startCommand } from './start.js';
import { enqueueCommand, scheduleCommand, tasksCommand } from './tasks.js';

/** All commands, in the order of the help. */
export const commands: readonly CommandModule[] = [
  startCommand,
  publishCommand,
  enqueueCommand,
  tasksCommand,
  scheduleCommand,
  queuesCommand,
  deadLettersCommand,
  exchangesCommand,
  consumersCommand,
  brokerCommand,
  pluginsCommand,
  configCommand,
  doctorCommand,
];
