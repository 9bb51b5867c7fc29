import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import { ownNode, virtualHost } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { BINDINGS, listener } from './exchange-types.js';

type Outgoing = [exchange: string, routingKey: string, headers?: Record<string, unknown>];

const QUEUES = Object.keys(BINDINGS);
const EVENTS = ['events #', 'events *.paid', 'events order.#', 'events order.*'];

const routes: Array<[message: Outgoing, queues: string[]]> = [
  [
    ['logs', 'error'],
    ['logs error', 'logs error or warning'],
  ],
  [['logs', 'warning'], ['logs error or warning']],
  [['logs', 'error.disk'], ['unrouted logs']],
  [['events', 'order.paid'], EVENTS],
  [
    ['events', 'order'],
    ['events #', 'events order.#'],
  ],
  [
    ['events', 'order.item.paid'],
    ['events #', 'events order.#'],
  ],
  [
    ['events', 'invoice.paid'],
    ['events #', 'events *.paid'],
  ],
  [['events', ''], ['events #']],
  [
    ['news', 'any key'],
    ['news one', 'news two'],
  ],
  [
    ['reports', '', { format: 'pdf', kind: 'invoice' }],
    ['reports all', 'reports any'],
  ],
  [['reports', '', { format: 'pdf', kind: 'letter' }], ['reports any']],
  [['outer', 'any.key'], ['inner queue']],
  [['', 'news one'], ['news one']],
];

withOwnRabbit(test)('each exchange routes as its type says', async (t) => {
  const { worker, received } = await listening(t, await virtualHost());
  for (const [[exchange, routingKey, headers], queues] of routes) {
    const text = `${exchange} ${routingKey} ${JSON.stringify(headers)}`;
    await worker.send({ exchange, routingKey, content: text, properties: { headers } });
    // The default exchange reaches each queue by its name; a queue keeps its order.
    for (const queue of QUEUES) await worker.send({ exchange: '', routingKey: queue, content: 'end' });
    while (received.all.filter((message) => message.text === 'end').length < QUEUES.length)
      await received.first(received.all.length + 1);
    const reached = received.all.splice(0).filter((message) => message.text === text);
    t.deepEqual(reached.map(({ queue }) => queue).toSorted(), queues.toSorted(), text);
  }
});

withOwnRabbit(test)('what no queue takes, and what an internal exchange does not take, is an error of its sender', async (t) => {
  const { worker } = await listening(t, await virtualHost());
  await t.throwsAsync(worker.send({ exchange: 'reports', routingKey: '', content: '' }), { code: 'ERR_UNROUTABLE' });
  await t.throwsAsync(worker.send({ exchange: 'inner', routingKey: '', content: '' }), { code: 'ERR_ACCESS_REFUSED' });
});

withOwnRabbit(test)('durable, auto-delete, internal and arguments are as they were set', async (t) => {
  const url = await virtualHost();
  const { worker } = await listening(t, url);
  const columns = ['name', 'type', 'durable', 'auto_delete', 'internal', 'arguments'];
  const list = async (what: string, ...names: string[]): Promise<string[]> =>
    (await (await ownNode()).ctl('-p', new URL(url).pathname.slice(1), what, ...names)).split('\n');
  const exchanges = await list('list_exchanges', ...columns);
  for (const row of [
    'logs\tdirect\ttrue\tfalse\tfalse\t[{"alternate-exchange","unrouted"}]',
    'events\ttopic\tfalse\tfalse\tfalse\t[]',
    'news\tfanout\ttrue\ttrue\tfalse\t[]',
    'inner\tfanout\ttrue\tfalse\ttrue\t[]',
  ]) {
    t.true(exchanges.includes(row), row);
  }
  t.true((await list('list_queues', 'name', 'durable', 'auto_delete')).includes('news one\tfalse\ttrue'));

  await worker.stop();
  t.deepEqual(await list('list_queues', 'name'), [''], 'auto-delete queues go with their consumer');
  const left = await list('list_exchanges', 'name');
  t.false(left.includes('news'), 'an auto-delete exchange goes with its last binding');
  t.true(left.includes('logs'));
});

interface Message {
  queue: string;
  text: string;
}

async function listening(t: ExecutionContext, url: string): Promise<{ worker: Worker; received: Recorder<Message> }> {
  const received = new Recorder<Message>();
  const worker = listener(url, received.add);
  t.teardown(() => worker.stop());
  await worker.start();
  return { worker, received };
}
