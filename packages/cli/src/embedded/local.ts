// The broker of `worker start` where none is configured: whatever listens at amqp://localhost, else an embedded one that starts there.
import { connect } from 'node:net';
import { CONNECTION } from '@warren/core';
import type { Logger, Worker } from '@warren/core';
import { EmbeddedBrokerError, UsageError } from '../errors.js';
import type { LoadedConfig } from '../project/config.js';
import { isProduction, openBroker } from './open.js';

const PORT = 5672;
const URL = 'amqp://localhost';

/** What an embedded broker calls itself; see `product` in its options. */
const EMBEDDED = /^Warren /;

/** Milliseconds. */
const PROBE_TIMEOUT = 2_000;

const INSTEAD = 'for RabbitMQ: --url amqp://… or AMQP_URL';

export interface LocalBroker extends AsyncDisposable {
  /** Says so where the worker has joined an embedded broker of another process. */
  tellJoined(worker: Worker): void;
}

/**
 * Starts an embedded broker where no address is configured and nothing listens at the default one; it ends with the result.
 * `wanted`: true allows it in production, false never does it.
 */
export async function localBroker(config: LoadedConfig, wanted: boolean | undefined, log: Logger): Promise<LocalBroker> {
  const configured = config.origins.url !== 'default' || config.values.findServers !== undefined;
  if (configured && wanted)
    throw new UsageError('--embedded-broker is for a project without a broker, and this one has an address.');
  if (configured) return { tellJoined: () => {}, [Symbol.asyncDispose]: async () => {} };
  const broker = wanted === false || (await listens()) ? undefined : await start(wanted, log);
  return {
    tellJoined(worker) {
      const { version } = worker.resolve(CONNECTION).capabilities;
      if (broker || !EMBEDDED.test(version)) return;
      log.info({ url: URL, joined: true, instead: INSTEAD }, 'embedded');
    },
    [Symbol.asyncDispose]: async () => broker?.[Symbol.asyncDispose](),
  };
}

/** Undefined in production, and where another process was faster. */
async function start(wanted: boolean | undefined, log: Logger): Promise<AsyncDisposable | undefined> {
  if (isProduction() && !wanted) {
    log.warn({ url: URL }, 'no broker');
    return undefined;
  }
  try {
    const broker = await openBroker({ port: PORT, allowProduction: wanted ?? false }, '--embedded-broker');
    log.info({ url: URL, joined: false, instead: INSTEAD }, 'embedded');
    return broker;
  } catch (error) {
    if (error instanceof EmbeddedBrokerError && error.code === 'ERR_BROKER_ADDRESS_IN_USE') return undefined;
    throw error;
  }
}

/** Whether anybody listens at the default address. Asked before binding, for some systems let two programs bind to one port. */
function listens(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port: PORT, host: 'localhost', timeout: PROBE_TIMEOUT });
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(true));
    socket.once('error', () => end(false));
  });
}
