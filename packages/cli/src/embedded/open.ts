// The embedded broker's package, loaded only where one is started.
import type { BrokerOptions, EmbeddedBroker } from '@warren/broker';
import { EmbeddedBrokerError, ProductionBrokerError } from '../errors.js';

/** Throws an `EmbeddedBrokerError`, or a `ProductionBrokerError` that names `flag`, which allows it. */
export async function openBroker(options: BrokerOptions, flag: string): Promise<EmbeddedBroker> {
  if (isProduction() && !options.allowProduction) throw new ProductionBrokerError({ flag });
  const { BrokerError, startBroker } = await import('@warren/broker');
  try {
    return await startBroker(options);
  } catch (error) {
    throw error instanceof BrokerError ? new EmbeddedBrokerError(error) : error;
  }
}

export function isProduction(): boolean {
  return process.env['NODE_ENV'] === 'production';
}
