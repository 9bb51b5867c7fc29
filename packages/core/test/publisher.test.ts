import test from 'ava';
import * as v from 'valibot';
import { defineJob } from '../src/index.js';
import type { PublishOptions } from '../src/index.js';
import { createTestWorker } from '../src/testing/index.js';
import { amqp, brokerWorker, Signal } from './_amqp.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });

test('a job becomes a message: JSON, typed, identified, persistent, dated', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  await worker.publish(mail, { to: 'ann' });
  const [message] = worker.sent;
  t.like(message, { exchange: '', routingKey: 'mails', options: {} });
  t.is(message?.content.toString(), '{"to":"ann"}');
  const { messageId, ...properties } = message?.properties ?? {};
  t.regex(messageId ?? '', /^[0-9a-f-]{36}$/);
  const present = Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
  t.deepEqual(present, {
    type: 'mail',
    contentType: 'application/json',
    timestamp: worker.clock.now() / 1_000,
    persistent: true,
    headers: {},
  });
});

test('options become properties, and the message id is kept', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const options: PublishOptions = {
    messageId: 'm-1',
    correlationId: 'c-1',
    replyTo: 'answers',
    priority: 4,
    expiration: 1_500.2,
    persistent: false,
    headers: { tenant: 'acme' },
    exchange: 'events',
    routingKey: 'mail.new',
  };
  await worker.publish(mail, { to: 'ann' }, options);
  t.like(worker.sent[0], {
    exchange: 'events',
    routingKey: 'mail.new',
    properties: {
      messageId: 'm-1',
      correlationId: 'c-1',
      replyTo: 'answers',
      priority: 4,
      expiration: '1501',
      persistent: false,
      headers: { tenant: 'acme' },
    },
  });
});

test('an unknown publish option is an error, and a plugin’s option names the plugin', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const unknown = { priorty: 1 } as PublishOptions;
  const typo = await t.throwsAsync(worker.publish(mail, { to: 'ann' }, unknown), { code: 'ERR_UNKNOWN_OPTION' });
  t.true(typo.message.includes('priority'), typo.message);
  const delayed = { delay: 1_000 } as PublishOptions;
  const owned = await t.throwsAsync(worker.publish(mail, { to: 'ann' }, delayed), { code: 'ERR_UNKNOWN_OPTION' });
  t.true(owned.message.includes('@warren/plugin-delay'), owned.message);
  await t.throwsAsync(worker.send({ exchange: '', routingKey: 'q', content: 'x', options: delayed }), {
    code: 'ERR_UNKNOWN_OPTION',
  });
  t.deepEqual(worker.sent, []);
});

test('a payload that the schema refuses is not published; what is sent is the payload as it was given', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const dated = defineJob('dated', {
    queue: 'q',
    schema: v.object({
      at: v.pipe(
        v.string(),
        v.transform((text) => new Date(text)),
      ),
    }),
  });
  const refused = await t.throwsAsync(worker.publish(dated, { at: 5 as never }), { code: 'ERR_PAYLOAD_INVALID' });
  t.true(refused.message.includes('at: '), refused.message);
  t.deepEqual(worker.sent, []);
  await worker.publish(dated, { at: '2030-01-01' });
  t.is(worker.sent[0]?.content.toString(), '{"at":"2030-01-01"}');
});

test('a payload without a form in the job’s codec is not published', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const text = defineJob('text', { queue: 'q', codec: 'text' });
  const json = defineJob('json', { queue: 'q' });
  const error = await t.throwsAsync(worker.publish(text, { secret: 1 }), { code: 'ERR_PAYLOAD_ENCODING' });
  t.true(error.message.includes('expected a string'), error.message);
  for (const payload of [undefined, 1n, () => {}]) {
    await t.throwsAsync(worker.publish(json, payload), { code: 'ERR_PAYLOAD_ENCODING' });
  }
  await t.throwsAsync(worker.publish(defineJob('x', { queue: 'q', codec: 'yaml' }), {}), { code: 'ERR_INVALID_OPTION' });
  t.deepEqual(worker.sent, []);
});

test('send passes on any message as it is given, with an id', async (t) => {
  const worker = createTestWorker();
  await worker.start();
  const properties = { type: 'x', headers: { a: 1 }, contentType: 'text/csv' };
  await worker.send({ exchange: 'events', routingKey: 'a.b', content: 'a;b', properties });
  await worker.send({ exchange: '', routingKey: 'q', content: new Uint8Array([1, 2, 3]).subarray(1) });
  t.like(worker.sent[0], { exchange: 'events', routingKey: 'a.b', properties });
  t.is(typeof worker.sent[0]?.properties.messageId, 'string');
  t.deepEqual(worker.sent[1]?.content, Buffer.from([2, 3]));
});

for (const [wrong, message] of [
  ['content', { exchange: '', routingKey: 'q', content: { a: 1 } }],
  ['routingKey', { exchange: '', content: 'x' }],
  ['routingKey', { exchange: '', routingKey: 5, content: 'x' }],
  ['exchange', { routingKey: 'q', content: 'x' }],
] as const) {
  test(`send refuses a wrong ${wrong} before the client sees it: ${JSON.stringify(message)}`, async (t) => {
    const worker = createTestWorker();
    await worker.start();
    const error = await t.throwsAsync(worker.send(message as never), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.startsWith(wrong), error.message);
  });
}

for (const [option, values] of [
  ['priority', [-1, 256, 1.5, 'high']],
  ['expiration', [-1, NaN, Infinity, 2 ** 32, '10s']],
  ['timeout', [0, -1, NaN, '1s']],
] as const) {
  test(`a wrong ${option} is refused before anything is sent`, async (t) => {
    const worker = createTestWorker();
    await worker.start();
    for (const value of values) {
      const options = { [option]: value } as PublishOptions;
      const error = await t.throwsAsync(worker.publish(mail, { to: 'ann' }, options), { code: 'ERR_INVALID_OPTION' });
      t.true(error.message.startsWith(option), error.message);
      await t.throwsAsync(worker.send({ exchange: '', routingKey: 'q', content: 'x', options }), { code: 'ERR_INVALID_OPTION' });
    }
    t.deepEqual(worker.sent, []);
  });
}

test('a message that no queue takes is an error, unless it is not mandatory', async (t) => {
  const worker = await brokerWorker(t);
  await worker.start();
  const message = { exchange: 'amq.direct', routingKey: `nobody-${Math.random()}`, content: 'x' };
  const error = await t.throwsAsync(worker.send(message), { code: 'ERR_UNROUTABLE' });
  t.true(error.message.includes('amq.direct'), error.message);
  await t.notThrowsAsync(worker.send({ ...message, options: { mandatory: false } }));
});

test('one message that cannot be sent harms no other', async (t) => {
  const client = await amqp(t);
  const job = defineJob<number>('many', { queue: client.queue('many') });
  const worker = await brokerWorker(t);
  await worker.start();
  await worker.publish(job, 0);
  const good = Array.from({ length: 20 }, (_, n) => worker.publish(job, n));
  const longKey = worker.send({ exchange: '', routingKey: 'x'.repeat(300), content: 'x' });
  const foreign = { exchange: '', routingKey: job.queue.name, content: 'x' };
  const badExpiration = worker.send({ ...foreign, properties: { expiration: '-5' } });
  const noExchange = worker.send({ exchange: `missing-${Math.random()}`, routingKey: 'x', content: 'x' });
  const after = Array.from({ length: 20 }, (_, n) => worker.publish(job, n));
  await t.throwsAsync(longKey, { code: 'ERR_MESSAGE_INVALID' });
  await t.throwsAsync(badExpiration, { code: 'ERR_CHANNEL_CLOSED' });
  await t.throwsAsync(noExchange, { code: 'ERR_TOPOLOGY_MISSING' });
  await t.notThrowsAsync(Promise.all([...good, ...after]));
});

test('a follow-up published by a handler is confirmed before its job ends, and keeps the correlation', async (t) => {
  const client = await amqp(t);
  const first = defineJob<number>('first', { queue: client.queue('first') });
  const second = defineJob<number>('second', { queue: client.queue('second') });
  const worker = await brokerWorker(t);
  const done = new Signal<{ correlationId: string | undefined; payload: number }>();
  worker.handle(first, (job) => job.publish(second, job.payload + 1));
  worker.handle(second, ({ correlationId, payload }) => done.give({ correlationId, payload }));
  await worker.start();
  await worker.publish(first, 1, { messageId: 'm-1' });
  t.deepEqual(await done.came, { correlationId: 'm-1', payload: 2 });
});
