import { defineJob, Job } from '@warren/core';
import type { Headers, JobType, Message } from '@warren/core';
import { MemoryDelivery } from '@warren/core/testing';
import test from 'ava';
import * as fc from 'fast-check';
import { carryingKey, keyOf, recordName, scopeOf } from '../src/key.js';

const pay: JobType = defineJob('pay', { queue: 'orders' });

function jobWith(properties: { messageId?: string; headers?: Headers }, payload: unknown = {}): Job {
  const delivery = new MemoryDelivery({
    queue: 'orders',
    exchange: '',
    routingKey: 'orders',
    content: Buffer.from('{}'),
    properties,
  });
  const context = { publish: () => Promise.resolve(), send: () => Promise.resolve() };
  return new Job(payload, { type: pay, delivery, context });
}

function keyIn(header: unknown): string | undefined {
  return keyOf(jobWith({ messageId: 'id', headers: { 'x-idempotency-key': header } }), undefined);
}

const message: Message = {
  exchange: '',
  routingKey: 'orders',
  content: Buffer.alloc(0),
  properties: { messageId: 'm', headers: { tenant: 'acme' } },
  options: {},
};

test("A job's key is the handler's, else the header, else the message's id.", (t) => {
  const job = jobWith({ messageId: 'id', headers: { 'x-idempotency-key': 'header' } }, { order: 'o-1' });
  t.is(
    keyOf(job, ({ payload }) => (payload as { order: string }).order),
    'o-1',
  );
  t.is(keyOf(job, undefined), 'header');
  t.is(keyOf(jobWith({ messageId: 'id' }), undefined), 'id');
});

test('A message without anything that tells it from others has no key.', (t) => {
  t.is(keyOf(jobWith({}), undefined), undefined);
  t.is(keyOf(jobWith({ messageId: '', headers: { 'x-idempotency-key': '' } }), undefined), undefined);
  t.is(keyOf(jobWith({ headers: { 'x-idempotency-key': null } }), undefined), undefined);
});

test('A foreign key may be a whole number; one that cannot be told from others is a failure of the job, and not ignored.', (t) => {
  t.is(keyIn(42), '42');
  for (const header of [2 ** 53, 1.5, true, Buffer.from('k'), { key: 'k' }])
    t.throws(() => keyIn(header), { code: 'ERR_INVALID_OPTION', message: /^header x-idempotency-key: / });
});

for (const [what, key] of [
  ['nothing', () => undefined],
  ['empty text', () => ''],
  ['a number', () => 7],
] as const) {
  test(`A handler's key function that gives ${what} is a failure of the job.`, (t) => {
    t.throws(() => keyOf(jobWith({ messageId: 'id' }), key as never), { code: 'ERR_INVALID_OPTION' });
  });
}

test('Keys of two jobs, or of one job on two queues, are two keys.', (t) => {
  const name = fc.string({ minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(name, name, name, name, fc.string(), fc.string(), (queue, job, otherQueue, otherJob, key, otherKey) => {
      const one = recordName(scopeOf(defineJob(job, { queue })), key);
      const other = recordName(scopeOf(defineJob(otherJob, { queue: otherQueue })), otherKey);
      t.is(one === other, queue === otherQueue && job === otherJob && key === otherKey);
    }),
  );
});

test('A record has a name that every store takes, whatever the key.', (t) => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 2_000, size: 'max' }),
    fc.constant('\0'),
    fc.constant('\uD800'),
  );
  fc.assert(
    fc.property(key, (key) => {
      const name = `idempotency/${recordName(scopeOf(pay), key)}`;
      t.true(Buffer.byteLength(name) <= 500);
      t.notRegex(name, /[\0\p{Surrogate}]/u);
    }),
  );
});

test('A short key is readable in the store; a long one is its hash there.', (t) => {
  t.is(recordName(scopeOf(pay), 'order 42'), 'orders/pay/order 42');
  t.is(recordName(scopeOf(defineJob('a/b', { queue: '100%' })), 'k'), '100%25/a%2Fb/k');
  t.regex(recordName(scopeOf(pay), 'k'.repeat(490)), /^[\w-]{43}$/);
  t.not(recordName(scopeOf(pay), '\uD800'), recordName(scopeOf(pay), '\uD801'));
});

test('What is published with a key carries it in a header, among the others.', async (t) => {
  const sent: Message[] = [];
  const publish = carryingKey(async (given) => void sent.push(given));
  await publish({ ...message, options: { idempotencyKey: 'order 42' } });
  t.deepEqual(sent[0]?.properties.headers, { tenant: 'acme', 'x-idempotency-key': 'order 42' });
  await publish(message);
  t.is(sent[1], message, 'what has no key is passed on as it is');
});

for (const key of ['', 7, null, 'k'.repeat(501), 'ü'.repeat(251)]) {
  test(`The key ${JSON.stringify(key).slice(0, 20)} is refused when it is published.`, (t) => {
    const publish = carryingKey(() => Promise.resolve());
    t.throws(() => void publish({ ...message, options: { idempotencyKey: key as string } }), {
      code: 'ERR_INVALID_OPTION',
    });
  });
}
