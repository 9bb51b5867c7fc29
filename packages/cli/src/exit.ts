// What a command's end means to whoever started it.
import { constants } from 'node:os';
import {
  BrokerRefusedError,
  BrokerUnreachableError,
  ConfigurationError,
  TopologyMismatchError,
  UnsupportedByBrokerError,
  WorkerError,
} from '@warren/core';
import { printableLines } from './output.js';

export const EXIT = {
  done: 0,
  failed: 1,
  /** Usage or configuration: starting again as it is cannot help. */
  misconfigured: 2,
  unreachable: 3,
  drainTimedOut: 4,
} as const;

const MISCONFIGURED = [ConfigurationError, BrokerRefusedError, TopologyMismatchError, UnsupportedByBrokerError] as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof BrokerUnreachableError) return EXIT.unreachable;
  return MISCONFIGURED.some((kind) => error instanceof kind) ? EXIT.misconfigured : EXIT.failed;
}

/** 130 for SIGINT, 143 for SIGTERM: what a shell reports of a process that the signal ended. */
export function forced(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** A user's mistake is told by its message; anything else is a bug of ours or of a handler, and needs its stack. Fit for a terminal. */
export function describe(error: unknown): string {
  return printableLines(textOf(error));
}

function textOf(error: unknown): string {
  if (error instanceof WorkerError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
