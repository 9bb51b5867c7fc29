import type { ConsumeMessage } from 'amqplib';
import test from 'ava';
import { freshBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { worker } from '../_cli.js';
import { Recorder } from '../_recorder.js';
import { newTask } from '../work-queues/work-queues.js';

test('the command line shows a forgotten ack, the exchanges and the consumers, and purges a queue', async (t) => {
  const { url, managementUrl } = await freshBroker(t);
  const run = (...args: string[]): Promise<string> => worker(...args, '--url', url, '--management-url', managementUrl);
  await newTask(url, 'forgotten.', 'waiting.', 'waiting too.');
  const channel = await plainChannel(t, url);
  await channel.assertExchange('task', 'direct', { durable: true });
  await channel.prefetch(1);
  const received = new Recorder<ConsumeMessage | null>();
  await channel.consume('task_queue', received.add);
  await received.first(1);

  const queue = { name: 'task_queue', type: 'classic', ready: 2, unacked: 1, consumers: 1 };
  t.deepEqual(await shown(() => run('queues', 'list', '--json'), 'queues', queue), queue);
  t.regex(await run('queues'), /^QUEUE +TYPE +READY +UNACKED +CONSUMERS\s+task_queue +classic +2 +1 +1$/m);
  const exchange = { name: 'task', type: 'direct', durable: true, autoDelete: false, internal: false };
  t.deepEqual(await shown(() => run('exchanges', '--json'), 'exchanges', exchange), exchange);
  t.like(await shown(() => run('consumers', '--json'), 'consumers', { queue: 'task_queue' }), {
    prefetch: 1,
    acknowledges: true,
  });
  t.deepEqual(JSON.parse(await run('queues', 'purge', 'task_queue', '--yes', '--json')), { queue: 'task_queue', removed: 2 });
  t.is((await channel.checkQueue('task_queue')).messageCount, 0);
});

type Row = Record<string, unknown>;

/** The row with these facts, as soon as the management API's statistics show it: they come every half second. */
async function shown(run: () => Promise<string>, list: string, facts: Row): Promise<Row> {
  for (;;) {
    const { [list]: rows = [] } = JSON.parse(await run()) as Record<string, Row[]>;
    const found = rows.find((row) => Object.entries(facts).every(([fact, value]) => row[fact] === value));
    if (found) return found;
  }
}
