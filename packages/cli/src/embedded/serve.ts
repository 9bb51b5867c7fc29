// worker broker: an embedded broker on its own, until a signal.
import { resolve } from 'node:path';
import { InvalidOptionError } from '@warren/core';
import type { BrokerOptions } from '@warren/broker';
import { EXIT } from '../exit.js';
import { createLog } from '../start/log.js';
import { openBroker } from './open.js';

export interface BrokerFlags {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly data?: string | undefined;
  readonly 'management-port'?: string | undefined;
  readonly compat?: string | undefined;
  readonly 'allow-production'?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Resolves to the exit code, when a signal has ended it. */
export async function serve(flags: BrokerFlags): Promise<number> {
  const options = optionsOf(flags);
  const stopping = new Promise<void>((end) => process.once('SIGINT', () => end()).once('SIGTERM', () => end()));
  const log = createLog({ json: flags.json ?? !process.stdout.isTTY, level: 'info' });
  await using broker = await openBroker(options, '--allow-production');
  const { port, managementUrl } = broker;
  log.info({ url: addressOf(options.host, port), data: options.data, pid: process.pid }, 'broker');
  if (managementUrl !== undefined) log.info({ url: managementUrl }, 'management');
  await stopping;
  log.info({}, 'closing');
  return EXIT.done;
}

function optionsOf(flags: BrokerFlags): BrokerOptions {
  const port = portOf('--port', flags.port);
  const managementPort = portOf('--management-port', flags['management-port']);
  return {
    ...(port !== undefined && { port }),
    ...(managementPort !== undefined && { managementPort }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.data !== undefined && { data: resolve(flags.data) }),
    // yargs has checked it.
    ...(flags.compat !== undefined && { compat: flags.compat as '3.x' | '4.x' }),
    ...(flags['allow-production'] !== undefined && { allowProduction: flags['allow-production'] }),
  };
}

function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new InvalidOptionError({ option, expected: 'a port, 0 to 65535', got: text });
}

/** Without user and password: every client takes guest by itself. */
function addressOf(host = 'localhost', port: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === 5672 ? `amqp://${name}` : `amqp://${name}:${port}`;
}
