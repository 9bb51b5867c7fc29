// The life of a message, in memory: routing, decoding, deciding. What a broker sees of it is in dispatcher-broker.test.ts.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import * as v from 'valibot';
import { ack, decided, defineJob, fixed, never, retry } from '../src/index.js';
import type { Consume, Job, JobType, MessageProperties, Outcome, Plugin, RetryPolicy } from '../src/index.js';
import { createTestWorker } from '../src/testing/index.js';
import type { TestWorker } from '../src/testing/index.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });
const note = defineJob<string>('note', { queue: 'notes', codec: 'text' });

function testWorker(t: ExecutionContext, options: Parameters<typeof createTestWorker>[0] = {}): TestWorker {
  const worker = createTestWorker(options);
  t.teardown(() => worker.stop({ deadline: 0 }));
  return worker;
}

/** A message as a producer that knows nothing of Warren sends it. */
function foreign(worker: TestWorker, job: JobType<never>, content: Buffer, properties: MessageProperties = {}): Promise<Outcome> {
  const bare = { type: undefined, messageId: undefined, contentType: undefined };
  return worker.deliver(job, undefined as never, { ...bare, ...properties, content });
}

/** The error code of a dead letter, as it is in the header of the copy that was sent. */
function deadCode(t: ExecutionContext, worker: TestWorker, outcome: Outcome): unknown {
  t.is(outcome.kind, 'deadLetter');
  t.is(worker.lastDelivery?.settled, 'acked');
  const [copy, ...others] = worker.sent;
  t.deepEqual(others, []);
  t.regex(copy?.routingKey ?? '', /\.dead$/);
  return copy?.properties.headers?.['x-error-code'];
}

test('a message without a type goes to the only handler of its queue', async (t) => {
  const worker = testWorker(t);
  const seen: unknown[] = [];
  worker.handle(mail, (job) => void seen.push(job.payload));
  t.is((await foreign(worker, mail as never, Buffer.from('{"to":"ann"}'))).kind, 'ack');
  t.deepEqual(seen, [{ to: 'ann' }]);
});

test('the type names the handler where a queue has several', async (t) => {
  const worker = testWorker(t);
  const other = defineJob<{ to: string }>('other', { queue: 'mails' });
  const seen: string[] = [];
  worker.handle(mail, ({ name }) => void seen.push(name)).handle(other, ({ name }) => void seen.push(name));
  await worker.deliver(other, { to: 'ann' });
  await worker.deliver(mail, { to: 'ann' });
  t.deepEqual(seen, ['other', 'mail']);
});

const forgetful: ReadonlyArray<readonly [title: string, layer: (next: Consume) => (job: Job) => unknown]> = [
  ['returns nothing', (next) => (job) => void next(job)],
  ['awaits and returns nothing', (next) => async (job) => void (await next(job))],
  ['returns something else', () => () => ({ kind: 'done' })],
];

for (const [title, layer] of forgetful) {
  test(`a plugin's layer that ${title} fails the job`, async (t) => {
    const plugin: Plugin = { name: 'forgetful', consume: (next) => layer(next) as Consume };
    const worker = testWorker(t, { plugins: [plugin], retry: never });
    worker.handle(mail, () => {});
    t.is(deadCode(t, worker, await worker.deliver(mail, { to: 'ann' })), 'ERR_OUTCOME_INVALID');
  });
}

const lost: ReadonlyArray<readonly [title: string, properties: MessageProperties, handlers: number]> = [
  ['a type that no handler is for', { type: 'fax' }, 1],
  ['no type, on a queue with several handlers', {}, 2],
];

for (const [title, properties, handlers] of lost) {
  test(`a message with ${title} is retried, then dead-lettered, never dropped`, async (t) => {
    const worker = testWorker(t, { retry: fixed({ maxAttempts: 2, delay: 0 }) });
    worker.handle(mail, () => t.fail());
    if (handlers === 2) worker.handle(defineJob('other', { queue: 'mails' }), () => t.fail());
    t.is((await foreign(worker, mail as never, Buffer.from('{}'), properties)).kind, 'retry');
    t.is(worker.lastDelivery?.settled, 'acked');
    t.like(worker.sent[0], { exchange: '', routingKey: 'mails' });
    const [outcome] = await worker.advance(0);
    t.is(outcome?.kind, 'deadLetter');
    t.is(worker.sent[1]?.routingKey, 'mails.dead');
    t.is(worker.sent[1]?.properties.headers?.['x-error-code'], 'ERR_UNKNOWN_JOB');
    t.is(worker.sent[1]?.content.toString(), '{}');
  });
}

const unreadable: ReadonlyArray<readonly [title: string, content: Buffer, properties: MessageProperties, code: string]> = [
  ['JSON that does not parse', Buffer.from('{"to":'), {}, 'ERR_PAYLOAD_DECODING'],
  ['an empty body', Buffer.alloc(0), {}, 'ERR_PAYLOAD_DECODING'],
  ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 'ERR_PAYLOAD_DECODING'],
  ['a foreign content type', Buffer.from('<to/>'), { contentType: 'application/xml' }, 'ERR_PAYLOAD_DECODING'],
  ['an unknown content encoding', Buffer.from('{}'), { contentEncoding: 'gzip' }, 'ERR_PAYLOAD_DECODING'],
  ['a body that is too large', Buffer.from(JSON.stringify({ to: 'x'.repeat(2_000) })), {}, 'ERR_PAYLOAD_TOO_LARGE'],
];

for (const [title, content, properties, code] of unreadable) {
  test(`${title} is dead-lettered at once, with ${code}`, async (t) => {
    const worker = testWorker(t, { maxPayloadBytes: 1_000, retry: fixed({ maxAttempts: 5, delay: 0 }) });
    worker.handle(mail, () => t.fail());
    const outcome = await foreign(worker, mail as never, content, properties);
    t.is(deadCode(t, worker, outcome), code);
    t.deepEqual(worker.sent[0]?.content, content, 'the body is kept as it came');
  });
}

const address = v.object({ to: v.pipe(v.string(), v.email()) });
const later = v.pipeAsync(
  v.objectAsync({ to: v.string() }),
  v.checkAsync(async ({ to }) => to.includes('@'), 'no address'),
);

for (const [kind, schema] of [
  ['synchronous', address],
  ['asynchronous', later],
] as const) {
  test(`what a ${kind} schema refuses is dead-lettered at once, and what it takes is handled`, async (t) => {
    const worker = testWorker(t);
    const seen: unknown[] = [];
    const checked = defineJob('checked', { queue: 'mails', schema });
    worker.handle(checked, (job) => void seen.push(job.payload));
    t.is((await worker.deliver(checked, { to: 'ann@example.org' })).kind, 'ack');
    t.deepEqual(seen, [{ to: 'ann@example.org' }]);
    t.is(deadCode(t, worker, await worker.deliver(checked, { to: 'nowhere' })), 'ERR_PAYLOAD_INVALID');
    t.is(seen.length, 1);
  });
}

test('a schema that throws is a failure like any other: the job is retried', async (t) => {
  const worker = testWorker(t);
  const broken = defineJob('broken', {
    queue: 'mails',
    schema: v.pipe(
      v.object({}),
      v.check(() => {
        throw new Error('database is down');
      }),
    ),
  });
  worker.handle(broken, () => t.fail());
  t.is((await worker.deliver(broken, {})).kind, 'retry');
});

for (const text of ['plain', '你好，世界：订单已发货', '\uFEFFmark', '']) {
  test(`text without a content type arrives as it was sent: ${JSON.stringify(text)}`, async (t) => {
    const worker = testWorker(t);
    let seen: string | undefined;
    worker.handle(note, (job) => void (seen = job.payload));
    t.is((await foreign(worker, note as never, Buffer.from(text))).kind, 'ack');
    t.is(seen, text);
  });
}

function broken(): never {
  throw new RangeError('policy');
}

test('a policy that throws, or answers nonsense, dead-letters the job with its own error', async (t) => {
  for (const [policy, name] of [
    [broken, 'RangeError'],
    [(): number => Number.NaN, 'InvalidOptionError'],
    [(): undefined => undefined, 'InvalidOptionError'],
  ] as ReadonlyArray<readonly [RetryPolicy, string]>) {
    const worker = testWorker(t);
    worker.handle(mail, () => Promise.reject(new Error('failed')), { retry: policy });
    t.is((await worker.deliver(mail, { to: 'ann' })).kind, 'deadLetter');
    t.is(worker.sent[0]?.properties.headers?.['x-error-name'], name);
  }
});

test('a policy is asked with the attempt and the error, and an explicit delay wins', async (t) => {
  const worker = testWorker(t);
  const asked: unknown[] = [];
  const error = new Error('failed');
  worker.handle(mail, () => retry({ delay: 7, error }), {
    retry: (attempt, cause) => {
      asked.push([attempt, cause]);
      return 1_000;
    },
  });
  t.like(await worker.deliver(mail, { to: 'ann' }, { attempt: 4 }), { kind: 'retry', delay: 7 });
  t.deepEqual(asked, [[4, error]]);
});

test('a policy is asked once, also where a layer has to know its answer', async (t) => {
  const answers = [5, null];
  const policy: RetryPolicy = () => answers.shift() ?? null;
  const worker = testWorker(t, {
    plugins: [
      {
        name: 'curious',
        consume: (next, info) => async (job) => {
          const outcome = await next(job);
          return outcome.kind === 'retry' ? decided(outcome, job.attempt, info.policy) : outcome;
        },
      },
    ],
  });
  worker.handle(mail, () => Promise.reject(new Error('failed')), { retry: policy });
  t.like(await worker.deliver(mail, { to: 'ann' }), { kind: 'retry', delay: 5 });
});

test('a layer that throws is the failure of that job alone', async (t) => {
  const worker = testWorker(t, {
    plugins: [
      {
        name: 'moody',
        consume: (next) => (job: Job) => {
          if (job.attempt === 1) throw new Error('layer');
          return next(job);
        },
      },
    ],
  });
  worker.handle(mail, () => ack);
  t.like(await worker.deliver(mail, { to: 'ann' }), { kind: 'retry' });
  t.is((await worker.deliver(mail, { to: 'ann' }, { attempt: 2 })).kind, 'ack');
});
