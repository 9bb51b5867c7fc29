import type { Ports } from '../broker.js';
import type { Commands } from '../control/commands.js';

export type CommandName = keyof Commands;

/** Where a broker runs: on this thread, or on one of its own. */
export interface Host {
  readonly ports: Ports;
  /** Calls a command by name. */
  call(name: CommandName, args: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}
