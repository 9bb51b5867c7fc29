// Foreign producers: plain AMQP clients that know nothing of Warren, on a real broker.
import test from 'ava';
import { defineJob, fixed } from '../src/index.js';
import type { Job } from '../src/index.js';
import { amqp, brokerWorker, Signal } from './_amqp.js';

for (const text of ['order shipped', '你好，世界：订单已发货', '\uFEFFmark']) {
  test(`bare text arrives as it was sent: ${JSON.stringify(text)}`, async (t) => {
    const client = await amqp(t);
    const queue = client.queue('text');
    const worker = await brokerWorker(t);
    const handled = new Signal<Job<string>>();
    worker.handle(defineJob<string>('note', { queue, codec: 'text' }), (job) => handled.give(job));
    await worker.start();
    await client.send(queue, text);
    const job = await handled.came;
    t.is(job.payload, text);
    t.deepEqual([job.attempt, job.messageId, job.headers], [1, undefined, {}]);
  });
}

test('an unknown type is retried, then lies in the dead-letter queue as it came', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('unknown');
  const worker = await brokerWorker(t, { retry: fixed({ maxAttempts: 2, delay: 0 }) });
  worker.handle(defineJob('known', { queue }), () => t.fail());
  await worker.start();
  await client.send(queue, '{"n":1}', { type: 'unknown', messageId: 'm-1' });
  const { content, properties } = await client.take(`${queue}.dead`);
  t.is(content.toString(), '{"n":1}');
  t.like(properties, { type: 'unknown', messageId: 'm-1' });
  t.like(properties.headers, { 'x-attempt': 2, 'x-error-code': 'ERR_UNKNOWN_JOB' });
});

const hostile: ReadonlyArray<readonly [title: string, content: Buffer, properties: object, code: string]> = [
  ['broken JSON', Buffer.from('{'), {}, 'ERR_PAYLOAD_DECODING'],
  ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 'ERR_PAYLOAD_DECODING'],
  ['a compressed body', Buffer.from('{}'), { contentEncoding: 'gzip' }, 'ERR_PAYLOAD_DECODING'],
  ['a huge body', Buffer.alloc(5_000, ' '), {}, 'ERR_PAYLOAD_TOO_LARGE'],
];

for (const [title, content, properties, code] of hostile) {
  test(`${title} lies in the dead-letter queue at once, byte for byte, with ${code}`, async (t) => {
    const client = await amqp(t);
    const queue = client.queue('hostile');
    const worker = await brokerWorker(t, { maxPayloadBytes: 1_000 });
    worker.handle(defineJob('json', { queue }), () => t.fail());
    await worker.start();
    await client.send(queue, content, properties);
    const dead = await client.take(`${queue}.dead`);
    t.deepEqual(dead.content, content);
    t.like(dead.properties.headers, { 'x-attempt': 1, 'x-error-code': code });
  });
}

test('headers that claim to be ours do no harm', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('liar');
  const worker = await brokerWorker(t);
  const attempts: number[] = [];
  const done = new Signal();
  worker.handle(defineJob('liar', { queue }), ({ attempt }) => {
    attempts.push(attempt);
    if (attempt === 2) return done.give();
    throw new Error('once more');
  });
  await worker.start();
  const headers = { 'x-attempt': 'first', 'x-original-exchange': { a: 1 }, 'x-first-failed-at': [1], 'x-death': 'none' };
  await client.send(queue, '{}', { headers });
  await done.came;
  t.deepEqual(attempts, [1, 2]);
});

test('a copy whose headers no longer fit is rejected, and the broker dead-letters the original', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('fat');
  const worker = await brokerWorker(t);
  worker.handle(defineJob('fat', { queue }), () => Promise.reject(new Error('x'.repeat(20_000))));
  await worker.start();
  const big = 'b'.repeat(65_000);
  await client.send(queue, '{}', { headers: { big } });
  const { properties } = await client.take(`${queue}.dead`);
  t.is(properties.headers?.['big'], big);
});
