import type { Ports } from '../broker.js';
import { BrokerError } from '../errors.js';
import type { CommandName } from './host.js';

// What the program and the broker's thread say to each other.

export interface Request {
  readonly id: number;
  readonly name: CommandName | 'close';
  readonly args: readonly unknown[];
}

/** The first answer has number 0 and tells where the broker listens. */
export type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

export interface Started {
  readonly ports: Ports;
}

/** An error in a form that keeps its code between threads. */
export function packError(error: unknown): { code: string; message: string } {
  if (error instanceof BrokerError) return { code: error.code, message: error.message };
  return { code: 'ERR_BROKER_INTERNAL', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
