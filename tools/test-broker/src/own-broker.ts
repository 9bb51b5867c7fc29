import { startBroker } from '@warren/broker';
import type { ExecutionContext } from 'ava';
import { Embedded } from './embedded.js';
import { inProcess } from './embedded-process.js';
import { onRabbit } from './rabbitmq.js';
import type { BreakableBroker, TestBroker } from './test-broker.js';

/** `npm test` sets it when it runs the tests once more on RabbitMQ. */
const isOnRabbit = (): boolean => process.env['WARREN_TEST_BROKER'] === 'rabbitmq';

/** An embedded broker for this test alone, or with `WARREN_TEST_BROKER=rabbitmq` a virtual host on this test file's RabbitMQ. */
export async function freshBroker(t: ExecutionContext): Promise<TestBroker> {
  if (isOnRabbit()) return onRabbit();
  const broker = await startBroker({ port: 0, managementPort: 0 });
  t.teardown(() => broker.close());
  const { port, managementUrl = '' } = broker;
  return new Embedded({ port, managementPort: Number(new URL(managementUrl).port) });
}

/** As `freshBroker`, and it may be stopped and killed: for serial tests, which share this file's RabbitMQ. */
export function breakableBroker(t: ExecutionContext): Promise<BreakableBroker> {
  return isOnRabbit() ? onRabbit() : inProcess(t);
}
