import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { freshBroker } from '@warren/test-broker';
import type { TestBroker } from '@warren/test-broker';
import { worker as commandLine } from '../_cli.js';
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

test('each exchange routes as its type says', async (t) => {
  const { worker, received } = await listening(t, (await freshBroker(t)).url);
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

test('what no queue takes, and what an internal exchange does not take, is an error of its sender', async (t) => {
  const { worker } = await listening(t, (await freshBroker(t)).url);
  await t.throwsAsync(worker.send({ exchange: 'reports', routingKey: '', content: '' }), { code: 'ERR_UNROUTABLE' });
  await t.throwsAsync(worker.send({ exchange: 'inner', routingKey: '', content: '' }), { code: 'ERR_ACCESS_REFUSED' });
});

test('durable, auto-delete and internal are as they were set', async (t) => {
  const broker = await freshBroker(t);
  const { worker } = await listening(t, broker.url);
  const exchanges = await listed(broker);
  for (const exchange of [
    { name: 'logs', type: 'direct', durable: true, autoDelete: false, internal: false },
    { name: 'events', type: 'topic', durable: false, autoDelete: false, internal: false },
    { name: 'news', type: 'fanout', durable: true, autoDelete: true, internal: false },
    { name: 'inner', type: 'fanout', durable: true, autoDelete: false, internal: true },
  ]) {
    t.deepEqual(
      exchanges.find(({ name }) => name === exchange.name),
      exchange,
    );
  }
  t.deepEqual((await broker.queues()).toSorted(), QUEUES.toSorted());

  await worker.stop();
  t.deepEqual(await broker.queues(), [], 'auto-delete queues go with their consumer');
  const left = (await listed(broker)).map(({ name }) => name);
  t.false(left.includes('news'), 'an auto-delete exchange goes with its last binding');
  t.true(left.includes('logs'));
});

/** The exchanges, as the command line shows them. */
async function listed({ url, managementUrl }: TestBroker): Promise<Array<{ name: string }>> {
  const output = await commandLine('exchanges', '--json', '--url', url, '--management-url', managementUrl);
  return (JSON.parse(output) as { exchanges: Array<{ name: string }> }).exchanges;
}

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
