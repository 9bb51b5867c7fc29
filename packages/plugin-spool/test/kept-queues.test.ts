import test from 'ava';
import { BrokerTimeoutError, defineJob } from '@warren/core';
import { MemoryConnection } from '@warren/core/testing';
import { createStore } from '@warren/store';
import { KeptQueues } from '../src/kept-queues.js';
import { leave, makeProducer, recordingLogger, textsOf } from './_producer.js';

test('a queue that was never declared is declared first, once', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['one', 'two'] });
  const next = makeProducer(t, { store });
  const steps: string[] = [];
  const { connection } = next;
  connection.declare = async (topology) => void steps.push(`declare ${[...topology.queues.keys()].join(' ')}`);
  connection.onPublish = ({ content }) => void steps.push(content.toString());
  await next.start();
  t.deepEqual(steps, ['declare ', 'declare orders', 'one', 'two']);
});

test('a queue that has changed since is no reason not to send', async (t) => {
  const store = createStore('memory:');
  await leave(t, store, { texts: ['one'] });
  const { logger, lines } = recordingLogger();
  const next = makeProducer(t, { store, logger });
  next.connection.declare = async ({ queues }) => {
    if (queues.has('orders')) throw new Error('inequivalent arg');
  };
  await next.start();
  t.deepEqual(textsOf(next.sent), ['one']);
  t.deepEqual(
    lines.filter(({ level }) => level === 'warn').map(({ facts }) => facts['queue']),
    ['orders'],
  );
});

test('a broker that is away is asked again', async (t) => {
  const connection = new MemoryConnection();
  const { logger } = recordingLogger();
  const queues = new KeptQueues({ connection, logger });
  const job = defineJob('order', { queue: 'orders' });
  let declarations = 0;
  connection.declare = async () => {
    if (++declarations === 1) throw new BrokerTimeoutError({ operation: 'declare', ms: 1 });
  };
  await t.throwsAsync(queues.declare(job), { code: 'ERR_BROKER_TIMEOUT' });
  await queues.declare(undefined);
  await queues.declare(job);
  await queues.declare({ ...job });
  t.is(declarations, 2);
});
