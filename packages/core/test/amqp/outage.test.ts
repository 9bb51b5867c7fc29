// What two connections tell, made one story. On a real broker: connection-faults.test.ts and blocked.test.ts.
import test from 'ava';
import { Link } from '../../src/amqp/link.js';
import { Outage } from '../../src/amqp/outage.js';
import { WorkerEvents } from '../../src/events.js';
import { silentLogger } from '../../src/logger.js';
import { settingsOf } from '../../src/options.js';

function story(): { consuming: Link; publishing: Link; told: string[] } {
  const [consuming, publishing] = [new Link(settingsOf({})), new Link(settingsOf({}))];
  const events = new WorkerEvents();
  const told: string[] = [];
  for (const event of ['disconnected', 'reconnecting', 'alarm', 'blocked', 'unblocked'] as const) {
    events.on(event, () => told.push(event));
  }
  const outage = new Outage({
    links: { consuming, publishing },
    events,
    logger: silentLogger,
    alarmAfter: 2,
    declared: () => Promise.resolve(),
  });
  outage.begin('RabbitMQ 4.0.5');
  return { consuming, publishing, told };
}

test('both connections lost are one outage, with one count of attempts and one alarm', (t) => {
  const { consuming, publishing, told } = story();
  for (const link of [consuming, publishing]) link.emit('down', undefined);
  for (const attempt of [1, 2, 3]) {
    for (const link of [consuming, publishing]) link.emit('retry', { attempt, delay: 1, error: undefined });
  }
  t.deepEqual(told, ['disconnected', 'reconnecting', 'reconnecting', 'alarm', 'reconnecting']);
});

test('a connection that is lost while it is blocked is blocked no more, and unblocked is told once', (t) => {
  const { publishing, told } = story();
  publishing.emit('blocked', 'low on memory');
  publishing.emit('unblocked');
  publishing.emit('blocked', 'low on memory');
  publishing.emit('down', undefined);
  publishing.emit('down', undefined);
  t.deepEqual(told, ['blocked', 'unblocked', 'blocked', 'disconnected', 'unblocked']);
});
