import { connect } from 'amqplib';
import test from 'ava';
import { freshBroker } from '@warren/test-broker';
import { json, project, run } from './_cli.js';
import { feed } from './_feed.js';

interface Listed {
  readonly queues: ReadonlyArray<{ name: string; type?: string; ready?: number; unacked?: number; consumers?: number }>;
  readonly delayed?: number;
}

test('with the management API all queues are listed with unacknowledged messages, and the exchanges and consumers', async (t) => {
  const node = await freshBroker(t);
  const connection = await connect(node.url);
  t.teardown(() => connection.close());
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('work');
  await channel.assertExchange('events', 'topic', { durable: true, internal: true });
  await channel.prefetch(2);
  await channel.consume('work', () => {});
  await feed(channel, 'work', '1', '2', '3', '4', '5');
  const cwd = await project(t);
  const flags = ['--url', node.url, '--management-url', node.managementUrl];
  let queues: Listed['queues'] = [];
  // The API's numbers are a moment old.
  while (queues.find(({ name }) => name === 'work')?.unacked !== 2) {
    queues = (await json<Listed>(t, ['queues', 'list', ...flags], { cwd })).queues;
  }
  t.like(queues[0], { name: 'work', type: 'classic', ready: 3, unacked: 2, consumers: 1 });
  const { exchanges } = await json<{ exchanges: Array<{ name: string }> }>(t, ['exchanges', ...flags], { cwd });
  t.like(
    exchanges.find(({ name }) => name === 'events'),
    { type: 'topic', durable: true, internal: true },
  );
  const consumers = await json<{ consumers: object[] }>(t, ['consumers', ...flags], { cwd });
  t.like(consumers.consumers[0], { queue: 'work', prefetch: 2, acknowledges: true });
  const inspected = await json<object>(t, ['queues', 'inspect', 'work', ...flags], { cwd });
  t.like(inspected, { unacked: 2, type: 'classic', drift: 'not declared by this project' });

  // A delayed message is shown as held, not as a hundred queues.
  t.is((await run(t, ['publish', '', 'work', 'x', '--delay', '1h', '--url', node.url], { cwd })).code, 0);
  for (const how of [flags, ['--plugins', 'delay', '--url', node.url]]) {
    let listed: Listed | undefined;
    while (listed?.delayed !== 1) listed = await json<Listed>(t, ['queues', ...how], { cwd });
    t.deepEqual(
      listed.queues.filter(({ name }) => name.includes('.v1.')),
      [],
    );
  }
});
