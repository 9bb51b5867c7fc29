// What leaves the publish chain, through a worker in memory.
import test from 'ava';
import { defineJob, fixed, HEADERS, milliseconds } from '@warren/core';
import type { Message, Plugin } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import delay from '../src/index.js';

const mail = defineJob<number>('mail', { queue: 'jobs' });
const order = defineJob<number>('order', {
  queue: 'orders',
  exchange: 'shop',
  routingKey: 'order.7.created',
  bindings: [{ exchange: 'shop', type: 'topic', pattern: 'order.#' }],
});

async function started(): Promise<TestWorker> {
  const worker = createTestWorker({ plugins: [delay()] });
  worker.handle(mail, () => {}).handle(order, () => {});
  await worker.start();
  return worker;
}

function last({ sent }: TestWorker): Message {
  return sent.at(-1) as Message;
}

test('a message without delay is left alone', async (t) => {
  const worker = await started();
  await worker.publish(mail, 1);
  t.is(worker.sent[0], worker.published[0]);
});

test('a delayed job goes to its first level, with its own routing key and the address in CC', async (t) => {
  const worker = await started();
  await worker.publish(mail, 1, { delay: '1m1ms' });
  const { exchange, routingKey, properties, options } = last(worker);
  t.is(exchange, 'delay.v1.L05');
  t.is(routingKey, 'jobs');
  t.deepEqual(properties.headers, {
    [HEADERS.exchange]: '',
    [HEADERS.routingKey]: 'jobs',
    [HEADERS.delayDue]: worker.clock.now() + 60_001,
    [HEADERS.delayMs]: 60_001,
    CC: ['~d.0.0.0.0.0.1.0.0.0.0.1.q.jobs'],
  });
  t.deepEqual(options, {});
});

test('a job for a named exchange keeps its routing key, and its address leads to that exchange', async (t) => {
  const worker = await started();
  await worker.publish(order, 1, { at: new Date(worker.clock.now() + 5_000) });
  const { exchange, routingKey, properties } = last(worker);
  t.is(exchange, 'delay.v1.L07');
  t.is(routingKey, 'order.7.created');
  t.deepEqual(properties.headers?.['CC'], ['~d.0.0.0.0.0.0.0.5.0.0.0.x.~shop']);
  t.is(properties.headers?.[HEADERS.exchange], 'shop');
  t.is(properties.headers?.[HEADERS.routingKey], 'order.7.created');
});

test('a delay of nothing, or a moment in the past, is no delay', async (t) => {
  const worker = await started();
  await worker.publish(mail, 1, { delay: 0 });
  await worker.publish(mail, 2, { at: new Date(worker.clock.now() - 1) });
  for (const { exchange, routingKey, properties } of worker.sent) {
    t.is(exchange, '');
    t.is(routingKey, 'jobs');
    t.deepEqual(properties.headers, {});
  }
  t.is(worker.sent.length, 2);
});

test('a message is the same as without delay, but for its headers', async (t) => {
  const worker = await started();
  const properties = {
    priority: 7,
    correlationId: 'c',
    replyTo: 'r',
    appId: 'a',
    userId: 'guest',
    contentEncoding: 'gzip',
    timestamp: 5,
  };
  const content = Buffer.from([0, 255, 1]);
  await worker.send({
    exchange: '',
    routingKey: 'jobs',
    content,
    properties: { ...properties, headers: { mine: 1 } },
    options: { delay: 10 },
  });
  const { properties: sent, content: body } = last(worker);
  t.like(sent, { ...properties, persistent: true, headers: { mine: 1 } });
  t.deepEqual(body, content);
});

test('an expiration would cut the wait short: it is kept in a header', async (t) => {
  const worker = await started();
  await worker.publish(mail, 1, { delay: 200, expiration: 50 });
  const { properties } = last(worker);
  t.false('expiration' in properties);
  t.is(properties.headers?.[HEADERS.expiration], '50');
});

test('the journey in copied headers is not published again', async (t) => {
  const worker = await started();
  const headers = { 'x-death': [{}], 'x-first-death-queue': 'q', 'x-delivery-count': 3, CC: ['~d.old'], BCC: ['b'], mine: 1 };
  await worker.send({ exchange: '', routingKey: 'jobs', content: '', properties: { headers }, options: { delay: 10 } });
  const sent = last(worker).properties.headers ?? {};
  t.deepEqual(sent['CC'], ['~d.0.0.0.0.0.0.0.0.0.1.0.q.jobs']);
  t.deepEqual(
    Object.keys(sent).filter(
      (name) => name.startsWith('x-death') || name.includes('first-death') || name === 'BCC' || name.includes('count'),
    ),
    [],
  );
  t.is(sent['mine'], 1);
});

test('a retry waits, and remembers where the job was published', async (t) => {
  const worker = createTestWorker({ plugins: [delay()] });
  worker.handle(order, () => Promise.reject(new Error('no')), { retry: fixed({ maxAttempts: 3, delay: 60_000 }) });
  await worker.deliver(order, 1);
  const { exchange, routingKey, properties } = last(worker);
  t.is(exchange, 'delay.v1.L05');
  t.is(routingKey, 'orders');
  t.like(properties.headers, {
    [HEADERS.attempt]: 2,
    [HEADERS.exchange]: 'shop',
    [HEADERS.routingKey]: 'order.7.created',
    [HEADERS.delayMs]: 60_000,
    CC: ['~d.0.0.0.0.0.1.0.0.0.0.0.q.orders'],
  });
});

test('what is wrong with a delay is said before anything is sent', async (t) => {
  const worker = await started();
  const at = new Date(worker.clock.now() + 1_000);
  for (const options of [
    { delay: -1 },
    { delay: NaN },
    { delay: Infinity },
    { at: new Date(NaN) },
    { at: 5 as unknown as Date },
  ]) {
    await t.throwsAsync(worker.publish(mail, 1, options), { code: 'ERR_INVALID_OPTION' });
  }
  await t.throwsAsync(worker.publish(mail, 1, { delay: 1, at }), { code: 'ERR_DELAY_AMBIGUOUS' });
  await t.throwsAsync(worker.publish(mail, 1, { delay: '1000d' }), { code: 'ERR_DELAY_TOO_LONG' });
  await t.throwsAsync(worker.publish(mail, 1, { delay: 1, exchange: 'x'.repeat(228) }), { code: 'ERR_DELAY_TARGET' });
  await t.throwsAsync(worker.publish(order, 1, { delay: 1, routingKey: '~d.0.0' }), { code: 'ERR_DELAY_TARGET' });
  t.deepEqual(worker.sent, []);
});

test('a delayed message for a queue that does not exist is refused', async (t) => {
  const worker = await started();
  const nowhere = { exchange: '', routingKey: 'nowhere', content: 'x', options: { delay: milliseconds('1s') } };
  await t.throwsAsync(worker.send(nowhere), { code: 'ERR_TOPOLOGY_MISSING', message: /"nowhere"/ });
  t.deepEqual(worker.sent, []);
});

test('what has passed before a message is sent, or sent again, is not waited for once more; a round delay stays one hop', async (t) => {
  const worker = await started();
  const waiting: Message[] = [];
  worker.connection.onPublish = (message) => waiting.push(message);
  await worker.publish(mail, 1, { delay: 1_234 });
  await worker.publish(mail, 2, { delay: '5s' });
  const now = (): unknown[] => waiting.map((message) => message.atSending?.(message).properties.headers?.['CC']);
  t.deepEqual(now(), [['~d.0.0.0.0.0.0.0.1.2.3.4.q.jobs'], ['~d.0.0.0.0.0.0.0.5.0.0.0.q.jobs']]);
  await worker.clock.advance(100);
  t.deepEqual(now(), [['~d.0.0.0.0.0.0.0.1.1.3.4.q.jobs'], ['~d.0.0.0.0.0.0.0.5.0.0.0.q.jobs']]);
  await worker.clock.advance(1_200);
  t.deepEqual(now(), [['~d.0.0.0.0.0.0.0.0.0.0.0.q.jobs'], ['~d.0.0.0.0.0.0.0.4.0.0.0.q.jobs']]);
  t.is(waiting[0]?.atSending?.(waiting[0]).exchange, 'delay.v1.deliver', 'it is due: nothing holds it');
});

test('what the layers within add to a delayed message is sent with it', async (t) => {
  const signing: Plugin = {
    name: 'signing',
    after: ['delay'],
    publish: (next) => (message) => {
      const { properties } = message;
      return next({
        ...message,
        properties: { ...properties, expiration: '7', headers: { ...properties.headers, actor: 'me' } },
      });
    },
  };
  const worker = createTestWorker({ plugins: [delay(), signing] });
  worker.handle(mail, () => {});
  await worker.start();
  await worker.publish(mail, 1, { delay: '1m' });
  const { exchange, properties } = last(worker);
  t.is(exchange, 'delay.v1.L05');
  t.is(properties.expiration, undefined, 'it would cut the wait short');
  t.like(properties.headers, { actor: 'me', [HEADERS.expiration]: '7', [HEADERS.exchange]: '', [HEADERS.delayMs]: 60_000 });
  await worker.stop();
});
