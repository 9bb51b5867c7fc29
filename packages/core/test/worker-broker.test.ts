// A worker's life on a real broker: queues, exchanges, prefetch and stopping, as the broker saw them.
import test from 'ava';
import { brokerUrl } from '@warren/test-broker';
import { createWorker, defineJob } from '../src/index.js';
import type { BindingOptions, Job, WorkerOptions } from '../src/index.js';
import { amqp, brokerWorker, Signal, unique, until } from './_amqp.js';

test('several queues and several handlers on one queue each get their own jobs', async (t) => {
  const client = await amqp(t);
  const [one, two] = [client.queue('one'), client.queue('two')];
  const jobs = [
    defineJob<number>('a', { queue: one }),
    defineJob<number>('b', { queue: one }),
    defineJob<number>('a', { queue: two }),
  ];
  const worker = await brokerWorker(t);
  const seen: string[] = [];
  const all = new Signal();
  jobs.forEach((job, index) =>
    worker.handle(job, ({ payload }) => {
      seen.push(`${index}:${payload}`);
      if (seen.length === 6) all.give();
    }),
  );
  await worker.start();
  await Promise.all(jobs.flatMap((job, index) => [worker.publish(job, index), worker.publish(job, index)]));
  await all.came;
  t.deepEqual(seen.toSorted(), ['0:0', '0:0', '1:1', '1:1', '2:2', '2:2']);
});

const sources: ReadonlyArray<readonly [binding: Omit<BindingOptions, 'exchange'>, hit: object, miss: object]> = [
  [{ type: 'direct', pattern: 'mail.new' }, { key: 'mail.new' }, { key: 'mail' }],
  [{ type: 'topic', pattern: 'mail.*' }, { key: 'mail.new' }, { key: 'fax.new' }],
  [{ type: 'fanout' }, { key: 'whatever' }, {}],
  [
    { type: 'headers', arguments: { 'x-match': 'all', kind: 'mail' } },
    { key: '', headers: { kind: 'mail' } },
    { key: '', headers: { kind: 'fax' } },
  ],
];

for (const [binding, hit, miss] of sources) {
  test(`a queue bound to a ${binding.type} exchange gets what the binding matches, and a job knows where it was published`, async (t) => {
    const client = await amqp(t);
    const [queue, exchange] = [client.queue('bound'), client.exchange('source')];
    const job = defineJob<string>('bound', { queue, exchange, bindings: [{ exchange, ...binding }] });
    const worker = await brokerWorker(t);
    const handled = new Signal<Job<string>>();
    worker.handle(job, (current) => {
      if (current.attempt === 1) throw new Error('once more');
      handled.give(current);
    });
    await worker.start();
    const { key = 'x', headers = {} } = hit as { key?: string; headers?: Record<string, unknown> };
    await worker.publish(job, 'hit', { routingKey: key, headers });
    const { payload, exchange: from, routingKey } = await handled.came;
    t.deepEqual([payload, from, routingKey], ['hit', exchange, key], 'also on the second attempt');
    if (binding.type === 'fanout') return;
    const other = miss as { key?: string; headers?: Record<string, unknown> };
    const missed = worker.publish(job, 'miss', { routingKey: other.key ?? 'x', headers: other.headers ?? {} });
    await t.throwsAsync(missed, { code: 'ERR_UNROUTABLE' });
  });
}

test('a stop finishes what runs and gives back what was only prefetched, unharmed', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('drain');
  const job = defineJob<number>('drain', { queue });
  const worker = await brokerWorker(t);
  const [begun, finish] = [new Signal(), new Signal()];
  const ran: number[] = [];
  worker.handle(
    job,
    async ({ payload }) => {
      ran.push(payload);
      begun.give();
      await finish.came;
    },
    { concurrency: 1, prefetch: 10 },
  );
  await worker.start();
  for (let n = 0; n < 5; n++) await worker.publish(job, n);
  await begun.came;
  const stopped = worker.stop();
  finish.give();
  t.deepEqual(await stopped, { drained: true, abandoned: 0 });
  t.deepEqual(ran, [0]);
  await until(async () => (await client.ready(queue)) === 4);
  t.is((await client.take(queue)).properties.headers?.['x-attempt'], undefined);
});

test('at the stop deadline a running job goes back, as the same attempt, and its signal aborts', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('deadline');
  const job = defineJob<number>('deadline', { queue });
  const worker = await brokerWorker(t);
  const begun = new Signal<Job<number>>();
  worker.handle(job, async (current) => {
    begun.give(current);
    await new Promise((_, reject) => current.signal.addEventListener('abort', () => reject(current.signal.reason as Error)));
  });
  await worker.start();
  await worker.publish(job, 1, { messageId: 'm-1' });
  const running = await begun.came;
  t.deepEqual(await worker.stop({ deadline: 400 }), { drained: false, abandoned: 1 });
  t.true(running.signal.aborted);
  const again = await client.take(queue);
  t.is(again.properties.messageId, 'm-1');
  t.true(again.fields.redelivered);
  t.is(again.properties.headers?.['x-attempt'], undefined);
  t.is(await client.ready(queue), 0);
  t.is(await client.ready(`${queue}.dead`), 0);
});

test('prefetch bounds what is delivered, and concurrency what runs', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('bounds');
  const job = defineJob<number>('bounds', { queue });
  const worker = await brokerWorker(t, { prefetch: 3 });
  const begun: number[] = [];
  const [two, finish] = [new Signal(), new Signal()];
  const handler = async ({ payload }: Job<number>): Promise<void> => {
    if (begun.push(payload) === 2) two.give();
    await finish.came;
  };
  worker.handle(job, handler, { concurrency: 2 });
  await worker.start();
  await Promise.all(Array.from({ length: 12 }, (_, n) => worker.publish(job, n)));
  await two.came;
  await until(async () => (await client.ready(queue)) === 9);
  t.is(begun.length, 2);
  finish.give();
  await until(async () => begun.length === 12);
  t.deepEqual(begun, [...Array.from({ length: 12 }).keys()]);
});

const failures: ReadonlyArray<readonly [title: string, options: (url: string) => WorkerOptions, code: string]> = [
  ['a wrong password', (url) => ({ url: withPassword(url, 's3cret') }), 'ERR_BROKER_REFUSED'],
  ['an unknown virtual host', (url) => ({ url: `${url.replace(/\/$/, '')}/nowhere` }), 'ERR_BROKER_REFUSED'],
];

for (const [title, options, code] of failures) {
  test(`${title} stops the start with ${code}, and the error keeps the password`, async (t) => {
    const worker = createWorker(options(await brokerUrl()));
    const error = await t.throwsAsync(worker.start(), { code });
    t.is(worker.state, 'stopped');
    t.false(error.message.includes('s3cret'), error.message);
    t.false(error.message.includes(':guest@'), error.message);
  });
}

function withPassword(url: string, password: string): string {
  const changed = new URL(url);
  changed.password = password;
  return changed.href;
}

test('a queue that exists with other arguments stops the start, which says which', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('mismatch');
  await client.channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 7 } });
  const worker = await brokerWorker(t);
  worker.handle(defineJob('x', { queue }), () => {});
  const error = await t.throwsAsync(worker.start(), { code: 'ERR_TOPOLOGY_MISMATCH' });
  t.true(error.message.includes(queue), error.message);
  t.is(worker.state, 'stopped');
  t.is((await client.channel.checkQueue(queue)).consumerCount, 0);
});

test('a queue that is not ours to declare has to be there', async (t) => {
  const worker = await brokerWorker(t);
  worker.handle(defineJob('x', { queue: { name: unique('missing'), declare: false } }), () => {});
  await t.throwsAsync(worker.start(), { code: 'ERR_TOPOLOGY_MISSING' });
});

test('an undeclared queue is consumed as it is', async (t) => {
  const client = await amqp(t);
  const queue = client.queue('theirs');
  await client.channel.assertQueue(queue, { durable: false, arguments: { 'x-max-length': 100 } });
  const worker = await brokerWorker(t);
  const handled = new Signal<unknown>();
  worker.handle(defineJob('x', { queue: { name: queue, declare: false } }), ({ payload }) => handled.give(payload));
  await worker.start();
  await client.send(queue, '{"foreign":true}');
  t.deepEqual(await handled.came, { foreign: true });
});

test('connected is announced once, with the broker’s version and no password', async (t) => {
  const client = await amqp(t);
  const worker = await brokerWorker(t);
  const events: Array<{ url: string; version: string; reconnected: boolean }> = [];
  worker.on('connected', (event) => void events.push(event));
  worker.handle(defineJob('x', { queue: client.queue('events') }), () => {});
  await worker.start();
  t.is(events.length, 1);
  t.like(events[0], { reconnected: false });
  t.regex(events[0]?.version ?? '', /^\w+ \d+\.\d+/);
  t.false(events[0]?.url.includes(':guest@'));
});
