import type { ConsumeMessage } from 'amqplib';
import test from 'ava';
import { TopologyMismatchError } from '@warren/core';
import { freshBroker } from '@warren/test-broker';
import { plainChannel } from '../_broker.js';
import { Recorder } from '../_recorder.js';
import { durableHello, receiver, send } from './hello-world.js';

test('the receiver prints what the sender sent, and declaring the queue twice is harmless', async (t) => {
  const { url } = await freshBroker(t);
  const printed = new Recorder<string>();
  await using first = receiver(url, printed.add);
  await using second = receiver(url, printed.add);
  await first.start();
  await second.start();
  await send(url);
  t.deepEqual(await printed.first(1), ['Hello, World!']);
});

test('a plain program declares the queue, sends, and is understood, in Chinese too', async (t) => {
  const { url } = await freshBroker(t);
  const channel = await plainChannel(t, url);
  await channel.assertQueue('hello', { durable: false });
  channel.sendToQueue('hello', Buffer.from('Hello, World!'));
  channel.sendToQueue('hello', Buffer.from('你好,世界'));
  const printed = new Recorder<string>();
  await using worker = receiver(url, printed.add);
  await worker.start();
  t.deepEqual(await printed.first(2), ['Hello, World!', '你好,世界']);
});

test('a plain program receives from the queue that the sender declared', async (t) => {
  const { url } = await freshBroker(t);
  await send(url, '你好,世界');
  const channel = await plainChannel(t, url);
  await channel.assertQueue('hello', { durable: false });
  const received = new Recorder<ConsumeMessage | null>();
  await channel.consume('hello', received.add, { noAck: true });
  const [message] = await received.first(1);
  t.is(message?.content.toString(), '你好,世界');
});

test('redeclaring the queue as durable is an error that names queue, argument and values, and no loop', async (t) => {
  const { url } = await freshBroker(t);
  await send(url);
  const worker = receiver(url, t.log, durableHello);
  worker.on('reconnecting', () => t.fail('the worker must not reconnect'));
  const error = await t.throwsAsync(worker.start(), { instanceOf: TopologyMismatchError, code: 'ERR_TOPOLOGY_MISMATCH' });
  t.regex(error?.message ?? '', /Queue "hello".*"durable".*'?false'? on the broker.*'?true'? in this worker/);
  t.is(worker.state, 'stopped');
});
