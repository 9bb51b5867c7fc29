// Preloaded into a process under test: what it connects to or binds at AMQP's well-known port, it does at $DEFAULT_PORT instead, which is
// free on any machine.
import { Server, Socket } from 'node:net';

const WELL_KNOWN = 5672;
const instead = Number(process.env['DEFAULT_PORT']);

/** Arguments of `connect` and `listen`: a port, or options, or options in a list. */
function redirect(argument: unknown): unknown {
  if (argument === WELL_KNOWN) return instead;
  if (Array.isArray(argument)) return Object.assign(argument, { 0: redirect(argument[0]) });
  if (typeof argument !== 'object' || argument === null || !('port' in argument)) return argument;
  return Number(argument.port) === WELL_KNOWN ? Object.assign(argument, { port: instead }) : argument;
}

type Call = (this: unknown, ...args: unknown[]) => unknown;

for (const [prototype, method] of [
  [Socket.prototype, 'connect'],
  [Server.prototype, 'listen'],
] as unknown as ReadonlyArray<readonly [Record<string, Call>, string]>) {
  const original = prototype[method] as Call;
  prototype[method] = function (first, ...rest) {
    return original.call(this, redirect(first), ...rest);
  };
}
