import test from 'ava';
import { broker, client, publish } from '../_broker.js';

const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;

test('Tools for RabbitMQ find queues, exchanges, bindings, connections, channels and consumers.', async (t) => {
  const { url, managementUrl } = await broker(t, { managementPort: 0 });
  const { channel } = await client(t, url);
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`${managementUrl}/api/${path}`, { headers: { authorization } })).json();
  await channel.assertQueue('a/b', { durable: true, arguments: { 'x-max-length': 10 } });
  await channel.bindQueue('a/b', 'amq.topic', 'k.#');
  for (const body of ['1', '2']) await publish(channel, 'a/b', body);
  await channel.prefetch(1);
  await channel.consume('a/b', () => {}, { consumerTag: 'c' });

  t.like(await get('overview'), {
    product_name: 'Warren',
    object_totals: { queues: 1, connections: 1, channels: 1, consumers: 1 },
  });
  t.deepEqual(await get('vhosts'), [{ name: '/' }]);
  t.like(await get('queues/%2F/a%2Fb'), {
    messages_ready: 1,
    messages_unacknowledged: 1,
    consumers: 1,
    arguments: { 'x-max-length': 10 },
  });
  t.is(((await get('queues')) as unknown[]).length, 1);
  t.true(((await get('exchanges/%2F')) as Array<{ name: string }>).some(({ name }) => name === 'amq.topic'));
  t.like(((await get('queues/%2F/a%2Fb/bindings')) as unknown[])[1], { source: 'amq.topic', routing_key: 'k.#' });
  t.like(((await get('connections')) as unknown[])[0], { user: 'guest', vhost: '/', state: 'running' });
  t.like(((await get('channels')) as unknown[])[0], { number: 1, prefetch_count: 1, messages_unacknowledged: 1, confirm: true });
  for (const path of ['consumers', 'consumers/%2F']) {
    t.like(((await get(path)) as unknown[])[0], { consumer_tag: 'c', queue: { name: 'a/b' }, ack_required: true });
  }
});

test('Queues can be purged and deleted, connections closed.', async (t) => {
  const { url, managementUrl, queue } = await broker(t, { managementPort: 0 });
  const { channel, connectionClosed } = await client(t, url);
  await channel.assertQueue('q', { durable: true });
  await publish(channel, 'q', 'x');
  const remove = async (path: string): Promise<number> =>
    (await fetch(`${managementUrl}/api/${path}`, { method: 'DELETE', headers: { authorization } })).status;
  t.is(await remove('queues/%2F/q/contents'), 204);
  t.is((await queue('q').state()).ready, 0);
  t.is(await remove('queues/%2F/q'), 204);
  t.is(await remove('queues/%2F/q'), 404);
  const [{ name }] = (await (await fetch(`${managementUrl}/api/connections`, { headers: { authorization } })).json()) as [
    { name: string },
  ];
  t.is(await remove(`connections/${encodeURIComponent(name)}`), 204);
  t.is((await connectionClosed)?.code, 320);
});

test('Nobody is let in without a password, and nonsense is answered.', async (t) => {
  const { managementUrl } = await broker(t, { managementPort: 0 });
  t.is((await fetch(`${managementUrl}/api/queues`)).status, 401);
  t.is((await fetch(`${managementUrl}/api/nothing`, { headers: { authorization } })).status, 404);
  t.is((await fetch(`${managementUrl}/api/queues/%zz`, { headers: { authorization } })).status, 400);
});
