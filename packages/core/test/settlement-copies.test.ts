// What a copy keeps of its original, and what it leaves behind, as the broker and the next attempt saw it.
import test from 'ava';
import { deadLetter, fixed } from '../src/index.js';
import type { Job } from '../src/index.js';
import { Signal } from './_amqp.js';
import { bench, everything } from './_bench.js';

test('retry: the copy keeps every property, and says what failed and where it came from', async (t) => {
  const failed = new Signal<Job>();
  const held = new Signal();
  const handler = async (job: Job<{ n: number }>): Promise<void> => {
    if (job.attempt === 1) throw Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    failed.give(job);
    await held.came;
  };
  const { client, queue } = await bench(t, handler);
  await client.send(queue, '{"n":1}', everything);
  const copy = await failed.came;
  held.give();
  const { userId, headers = {}, ...kept } = copy.properties;
  t.is(userId, undefined, 'the broker compares it with the login of whoever publishes');
  t.like(kept, { ...everything, userId: undefined, headers: undefined } as never);
  t.like(headers, {
    ...everything.headers,
    'x-attempt': 2,
    'x-original-exchange': '',
    'x-original-routing-key': queue,
    'x-original-user-id': 'guest',
    'x-error-name': 'RangeError',
    'x-error-code': 'E_FAR',
    'x-error-message': 'too far',
  });
  t.false(Number.isNaN(Date.parse(headers['x-first-failed-at'] as string)));
  t.is(headers['x-error-stack'], undefined, 'only dead letters carry the stack');
  t.deepEqual(copy.headers, everything.headers);
});

test('a copy has no journey: what a broker wrote on the way is not carried on', async (t) => {
  const { client, queue } = await bench(t, () => deadLetter(new Error('no')));
  const journey = {
    'x-death': [{ queue: 'elsewhere', reason: 'expired' }],
    'x-first-death-queue': 'elsewhere',
    'x-delivery-count': 3,
  };
  await client.send(queue, '{}', { headers: { ...journey, tenant: 'acme' } });
  const { properties } = await client.take(`${queue}.dead`);
  t.is(properties.headers?.['tenant'], 'acme');
  for (const name of Object.keys(journey)) t.is(properties.headers?.[name], undefined, name);
});

test('a foreign message without an id gets one on its copy, and keeps it', async (t) => {
  const ids: Array<string | undefined> = [];
  const { client, queue } = await bench(
    t,
    (job) => {
      ids.push(job.messageId);
      throw new Error('no');
    },
    { retry: fixed({ maxAttempts: 3, delay: 0 }) },
  );
  await client.send(queue, '{}');
  const { properties } = await client.take(`${queue}.dead`);
  const [first, second, third] = ids;
  t.is(first, undefined);
  t.is(typeof second, 'string');
  t.is(third, second);
  t.is(properties.messageId as unknown, second);
});
