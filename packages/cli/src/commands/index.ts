import type { CommandModule } from 'yargs';
import { startCommand } from './start.js';

/** All commands, in the order of the help. */
export const commands: readonly CommandModule[] = [startCommand];
