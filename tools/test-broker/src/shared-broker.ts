import { startBroker } from '@warren/broker';
import { registerCompletionHandler } from 'ava';

let shared: Promise<string> | undefined;

/**
 * The AMQP URL of the broker that all tests of a run share: `WARREN_TEST_AMQP_URL`, else an embedded broker that ends with the test file.
 * `npm test` runs every test file that imports this package twice, on the embedded broker and on RabbitMQ: use names of your own for
 * queues and exchanges, and nothing that only one of the two can do.
 */
export function brokerUrl(): Promise<string> {
  const { WARREN_TEST_AMQP_URL: url } = process.env;
  if (url) return Promise.resolve(url);
  shared ??= startForThisFile();
  return shared;
}

async function startForThisFile(): Promise<string> {
  const broker = await startBroker({ port: 0 });
  registerCompletionHandler(() => void broker.close());
  return broker.url;
}
