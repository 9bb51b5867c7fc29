// One test for each outcome, asserting what the broker saw.
import test from 'ava';
import { deadLetter, defineJob, fixed, never, requeue, retry, UnrecoverableError } from '../src/index.js';
import type { Job } from '../src/index.js';
import { amqp, brokerWorker, Signal, until } from './_amqp.js';
import { bench, everything } from './_bench.js';

test('ack: the queue is empty, and nothing was published', async (t) => {
  const handled = new Signal();
  const { client, worker, job, queue } = await bench(t, () => handled.give());
  await worker.publish(job, { n: 1 });
  await handled.came;
  await worker.stop();
  t.is(await client.ready(queue), 0);
  t.is(await client.ready(`${queue}.dead`), 0);
});

test('retry: a copy comes as the next attempt with the same message id, and the original is acknowledged', async (t) => {
  const jobs: Job[] = [];
  const done = new Signal();
  const handler = (job: Job<{ n: number }>): void => {
    jobs.push(job);
    if (jobs.length === 3) return done.give();
    throw new Error('not yet');
  };
  const { client, worker, job, queue } = await bench(t, handler, { retry: fixed({ maxAttempts: 3, delay: 0 }) });
  await worker.publish(job, { n: 1 }, { messageId: 'm-7', headers: { tenant: 'acme' } });
  await done.came;
  t.deepEqual(
    jobs.map(({ attempt, messageId, redelivered, headers, payload }) => ({ attempt, messageId, redelivered, headers, payload })),
    [1, 2, 3].map((attempt) => ({
      attempt,
      messageId: 'm-7',
      redelivered: false,
      headers: { tenant: 'acme' },
      payload: { n: 1 },
    })),
  );
  await worker.stop();
  t.is(await client.ready(queue), 0);
});

test('requeue: the same message comes again, marked as redelivered, as the same attempt', async (t) => {
  const jobs: Job[] = [];
  const done = new Signal();
  const handler = (job: Job<{ n: number }>): unknown => {
    jobs.push(job);
    return jobs.length === 1 ? requeue : done.give();
  };
  const { worker, job } = await bench(t, handler);
  await worker.publish(job, { n: 1 });
  await done.came;
  t.deepEqual(
    jobs.map(({ attempt, redelivered }) => [attempt, redelivered]),
    [
      [1, false],
      [1, true],
    ],
  );
  t.is(jobs[0]?.messageId, jobs[1]?.messageId);
});

test('deadLetter: the message lies in <queue>.dead, with its error, attempt, times and origin', async (t) => {
  class CardError extends Error {
    override name = 'CardError';
    code = 'E_CARD';
  }
  const { client, queue } = await bench(t, () => deadLetter(new CardError('x'.repeat(5_000))));
  await client.send(queue, '{"n":1}', { ...everything, headers: { ...everything.headers, 'x-attempt': 4 } });
  const { content, properties } = await client.take(`${queue}.dead`);
  t.is(content.toString(), '{"n":1}');
  const { headers = {}, ...kept } = properties;
  t.like(kept, { ...everything, userId: undefined, expiration: undefined, headers: undefined, deliveryMode: 2 } as never);
  t.like(headers, {
    ...everything.headers,
    'x-attempt': 4,
    'x-error-name': 'CardError',
    'x-error-code': 'E_CARD',
    'x-original-queue': queue,
    'x-original-exchange': '',
    'x-original-routing-key': queue,
  });
  t.is((headers['x-error-message'] as string).length, 1_000);
  t.true((headers['x-error-stack'] as string).length <= 8_000);
  t.true(Math.abs(Date.parse(headers['x-died-at'] as string) - Date.now()) < 60_000);
  await until(async () => (await client.ready(queue)) === 0);
});

test('deadLetter: false rejects, and the queue’s own dead-letter exchange takes it', async (t) => {
  const client = await amqp(t);
  const [queue, graves, dlx] = [client.queue('own'), client.queue('graves'), client.exchange('dlx')];
  await client.channel.assertExchange(dlx, 'fanout', { durable: true });
  await client.channel.assertQueue(graves, { durable: true });
  await client.channel.bindQueue(graves, dlx, '');
  const args = { 'x-dead-letter-exchange': dlx };
  const job = defineJob('own', { queue: { name: queue, deadLetter: false, arguments: args } });
  const worker = await brokerWorker(t);
  worker.handle(job, () => deadLetter(new Error('no')));
  await worker.start();
  await worker.publish(job, {});
  const { properties } = await client.take(graves);
  t.is(properties.headers?.['x-first-death-reason'], 'rejected');
  t.is(properties.headers?.['x-attempt'], undefined);
});

test('past its last attempt, a job is dead-lettered', async (t) => {
  let runs = 0;
  const { client, worker, job, queue } = await bench(
    t,
    () => {
      runs++;
      throw new Error(`run ${runs}`);
    },
    { retry: fixed({ maxAttempts: 3, delay: 0 }) },
  );
  await worker.publish(job, { n: 1 });
  const { properties } = await client.take(`${queue}.dead`);
  t.is(runs, 3);
  t.like(properties.headers, { 'x-attempt': 3, 'x-error-message': 'run 3' });
  t.true(
    Date.parse(properties.headers?.['x-died-at'] as string) >= Date.parse(properties.headers?.['x-first-failed-at'] as string),
  );
});

test('an UnrecoverableError is dead-lettered at once, whatever the policy', async (t) => {
  let runs = 0;
  const { client, worker, job, queue } = await bench(t, () => {
    runs++;
    throw new UnrecoverableError('no such user');
  });
  await worker.publish(job, { n: 1 });
  const { properties } = await client.take(`${queue}.dead`);
  t.is(runs, 1);
  t.like(properties.headers, { 'x-attempt': 1, 'x-error-code': 'ERR_UNRECOVERABLE' });
});

test('retry() without an error, past the last attempt, says that the handler asked for it', async (t) => {
  const { client, worker, job, queue } = await bench(t, () => retry(), { retry: never });
  await worker.publish(job, { n: 1 });
  const { properties } = await client.take(`${queue}.dead`);
  t.true(String(properties.headers?.['x-error-message']).includes('asked for a retry'));
});
