import { capabilitiesOf, createWorker, defineJob, fixed } from '@warren/core';
import delay from '@warren/plugin-delay';
import test from 'ava';
import tasks, { defineTask, group, TASKS } from '../src/index.js';
import { collected, taskWorker } from './_worker.js';

const mail = defineTask<{ to: string }>('mail.send', { queue: 'mails', retry: fixed({ maxAttempts: 2, delay: 1_000 }) });
const ann = { to: 'ann' };

test('enqueue publishes a persistent, confirmed message under the handle’s id', async (t) => {
  const { worker } = taskWorker(t);
  await worker.start();
  const handle = await worker.enqueue(mail, ann, { headers: { tenant: 'acme' }, priority: 3, correlationId: 'c' });
  const [sent] = worker.sent;
  t.like(sent?.properties, {
    messageId: handle.id,
    type: 'mail.send',
    persistent: true,
    priority: 3,
    correlationId: 'c',
    headers: { tenant: 'acme' },
  });
  t.is(await handle.state(), 'queued');
  t.false(handle.duplicate);
});

test('a delayed task is scheduled until it is due; its result is what the handler returned', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(mail, ({ payload }) => `sent to ${payload.to}`);
  await worker.start();
  const handle = await worker.enqueue(mail, ann, { delay: '10m' });
  t.like(await handle.record(), { state: 'scheduled', dueAt: worker.clock.now() + 600_000 });
  const result = handle.result({ timeout: '1h' });
  await worker.advance('10m');
  await worker.advance('2s');
  t.is(await result, 'sent to ann');
  const at = await worker.enqueue(mail, ann, { at: new Date(worker.clock.now() + 5_000) });
  t.is(await at.state(), 'scheduled');
});

test('result rejects when the task dies, and when it takes too long', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(mail, () => {
    throw new RangeError('no such address');
  });
  await worker.start();
  const dying = await worker.enqueue(mail, ann);
  const waiting = await worker.enqueue(mail, ann, { delay: '1h' });
  const ends = Promise.allSettled([dying.result({ timeout: '1m' }), waiting.result({ timeout: '30s' })]);
  await worker.advance('2m');
  const [dead, late] = await ends;
  t.like(dead, { status: 'rejected', reason: { code: 'ERR_TASK_FAILED', state: 'dead', error: { message: 'no such address' } } });
  t.like(late, { status: 'rejected', reason: { code: 'ERR_TASK_RESULT_TIMEOUT' } });
  await t.throwsAsync(worker.resolve(TASKS).handle('nobody').state(), { code: 'ERR_TASK_UNKNOWN' });
});

test('a task that has not begun can be cancelled: its message is acknowledged silently when it comes', async (t) => {
  const { worker } = taskWorker(t);
  let runs = 0;
  worker.handle(mail, () => ++runs);
  await worker.start();
  const handle = await worker.enqueue(mail, ann, { delay: '10m' });
  t.true(await handle.cancel());
  t.true(await handle.cancel(), 'it is cancelled still');
  t.is(await handle.state(), 'cancelled');
  const outcomes = await worker.advance('11m');
  t.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['ack'],
  );
  t.is(runs, 0);
  await t.throwsAsync(handle.result(), { code: 'ERR_TASK_FAILED' });
});

test('a record that is cancelled stays until the message has come, however late that is', async (t) => {
  const { worker } = taskWorker(t, { keep: '1h' });
  let runs = 0;
  worker.handle(mail, () => ++runs);
  await worker.start();
  const handle = await worker.enqueue(mail, ann, { delay: '200d' });
  await handle.cancel();
  await worker.advance('200d');
  t.is(runs, 0);
  await worker.advance('61m');
  await t.throwsAsync(handle.state(), { code: 'ERR_TASK_UNKNOWN' });
});

test('what has ended, or runs, cannot be cancelled', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(mail, async (job) => {
    t.false(await worker.resolve(TASKS).cancel(job.messageId ?? ''));
  });
  await worker.start();
  const handle = await worker.enqueue(mail, ann);
  await worker.advance(0);
  t.false(await handle.cancel());
  t.is(await handle.state(), 'succeeded');
});

test('under one id a task is enqueued once; again while it waits sends it again and runs it once', async (t) => {
  const { worker } = taskWorker(t);
  let runs = 0;
  worker.handle(mail, () => ++runs);
  await worker.start();
  t.false((await worker.enqueue(mail, ann, { messageId: 'order-42' })).duplicate);
  t.true((await worker.enqueue(mail, ann, { messageId: 'order-42' })).duplicate);
  t.is(worker.sent.length, 2);
  await worker.advance(0);
  t.true((await worker.enqueue(mail, ann, { messageId: 'order-42' })).duplicate);
  t.is(worker.sent.length, 2);
  t.is(runs, 1);
});

test('unique: while a task has a key, another is not enqueued and gets its handle', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(mail, () => {});
  await worker.start();
  const first = await worker.enqueue(mail, ann, { unique: { key: 'ann' } });
  const second = await worker.enqueue(mail, ann, { unique: { key: 'ann' } });
  const other = await worker.enqueue(mail, ann, { unique: { key: 'bob' } });
  t.deepEqual([second.id, second.duplicate, other.duplicate], [first.id, true, false]);
  t.is(worker.sent.length, 2);
  await worker.advance(0);
  t.false((await worker.enqueue(mail, ann, { unique: { key: 'ann' } })).duplicate);
});

test('the task that has a key is found by it, for as long as it has', async (t) => {
  const { worker } = taskWorker(t);
  worker.handle(mail, () => {});
  await worker.start();
  const tasks = worker.resolve(TASKS);
  t.is(await tasks.unique(mail, 'ann'), undefined);
  const { id } = await worker.enqueue(mail, ann, { unique: { key: 'ann' }, delay: '1m' });
  t.is((await tasks.unique(mail, 'ann'))?.id, id);
  await worker.advance('2m');
  t.is(await tasks.unique(mail, 'ann'), undefined);
});

for (const until of ['started', 'finished'] as const) {
  test(`unique until ${until}: a running task ${until === 'started' ? 'leaves its key to the next' : 'keeps its key'}`, async (t) => {
    const { worker } = taskWorker(t);
    const unique = { key: 'ann', until };
    const duplicates: boolean[] = [];
    worker.handle(mail, async ({ attempt, messageId }) => {
      if (duplicates.length === 0) duplicates.push((await worker.enqueue(mail, ann, { unique, delay: '1h' })).duplicate);
      if (attempt === 1 && messageId === 'first') throw new Error('again');
    });
    await worker.start();
    await worker.enqueue(mail, ann, { unique, messageId: 'first' });
    await worker.advance('5s');
    t.deepEqual(duplicates, [until === 'finished']);
  });
}

test('unique with replace: the later one takes the place of one that has not begun', async (t) => {
  const { worker } = taskWorker(t);
  const ran: string[] = [];
  worker.handle(mail, ({ payload }) => void ran.push(payload.to));
  await worker.start();
  const unique = { key: 'reminder', replace: true };
  const [first, second, third] = [
    await worker.enqueue(mail, { to: 'first' }, { unique, delay: '10m' }),
    await worker.enqueue(mail, { to: 'second' }, { unique, delay: '20m' }),
    await worker.enqueue(mail, { to: 'third' }, { unique, delay: '5m' }),
  ];
  t.deepEqual([await first.state(), await second.state(), await third.state()], ['cancelled', 'cancelled', 'scheduled']);
  await worker.advance('1h');
  t.deepEqual(ran, ['third']);
});

test('of many that want one key at once exactly one is enqueued', async (t) => {
  const { worker } = taskWorker(t);
  await worker.start();
  const handles = await Promise.all(Array.from({ length: 50 }, () => worker.enqueue(mail, ann, { unique: { key: 'ann' } })));
  t.is(handles.filter(({ duplicate }) => !duplicate).length, 1);
  t.is(new Set(handles.map(({ id }) => id)).size, 1);
  t.is(worker.sent.length, 1);
});

test('a task whose publish fails leaves neither record nor key', async (t) => {
  const { worker, record } = taskWorker(t);
  await worker.start();
  worker.connection.onPublish = () => {
    throw new Error('no broker');
  };
  const options = { messageId: 'one', unique: { key: 'ann' } };
  await t.throwsAsync(worker.enqueue(mail, ann, options), { message: 'no broker' });
  t.is(await record('one'), undefined);
  worker.connection.onPublish = undefined;
  t.false((await worker.enqueue(mail, ann, options)).duplicate);
});

test('enqueueMany says which were not enqueued; the others were', async (t) => {
  const { worker } = taskWorker(t);
  await worker.start();
  const handles = await worker.enqueueMany(mail, [ann, { to: 'bob' }]);
  t.is(handles.length, 2);
  worker.connection.onPublish = ({ content }) => {
    if (content.includes('bad')) throw new Error('refused');
  };
  const error = await t.throwsAsync(worker.enqueueMany(mail, [ann, { to: 'bad' }, ann]), { code: 'ERR_ENQUEUE_MANY' });
  t.deepEqual([...(error as unknown as { failures: Map<number, unknown> }).failures.keys()], [1]);
  t.is(worker.sent.length, 4);
});

test('tasks can be listed by state and by name', async (t) => {
  const { worker } = taskWorker(t);
  const other = defineTask('other', { queue: 'mails' });
  await worker.start();
  await worker.enqueueMany(mail, [ann, ann]);
  await (await worker.enqueue(other, 1, { delay: 1_000 })).cancel();
  const listed = async (filter: object): Promise<number> => (await collected(worker.resolve(TASKS).list(filter))).length;
  t.deepEqual([await listed({}), await listed({ state: 'cancelled' }), await listed({ task: 'mail.send' })], [3, 1, 2]);
});

test('a priority that the queue does not have is said once; one that it has is not', async (t) => {
  const { worker, warnings } = taskWorker(t);
  const ranked = defineTask('ranked', { queue: 'ranked', priorities: 9 });
  await worker.start();
  await worker.enqueue(mail, ann, { priority: 5 });
  await worker.enqueue(ranked, 1, { priority: 9 });
  t.deepEqual(warnings, []);
  worker.connection.capabilities = capabilitiesOf({ product: 'RabbitMQ', version: '3.13.7' });
  await worker.enqueue(mail, ann, { priority: 5 });
  await worker.enqueue(mail, ann, { priority: 5 });
  t.is(warnings.length, 1);
  t.regex(warnings.join(), /no priorities/);
});

test('what is no task, what has no records and what comes too early is refused', async (t) => {
  const { worker } = taskWorker(t, { records: false });
  const early = createWorker({ plugins: [delay(), tasks({ records: false })] });
  await t.throwsAsync(early.enqueue(mail, ann), { code: 'ERR_WORKER_STATE' });
  await worker.start();
  await t.throwsAsync(worker.enqueue(defineJob('plain', { queue: 'q' }), 1), { code: 'ERR_NOT_A_TASK' });
  await t.throwsAsync(worker.enqueue(mail, ann, { unique: { key: 'a' } }), { code: 'ERR_TASK_RECORDS_OFF' });
  await t.throwsAsync(worker.enqueue(mail, ann, { unique: { key: '' } }), { code: 'ERR_INVALID_OPTION' });
  await t.throwsAsync(worker.enqueue(mail, ann, { expiresIn: 'soon' }), { code: 'ERR_INVALID_OPTION' });
});

test('what is given in place of a task, a list or an id is refused by name', async (t) => {
  const { worker } = taskWorker(t);
  await worker.start();
  const enqueue = (...given: unknown[]): Promise<unknown> => worker.resolve(TASKS).enqueue(...(given as [typeof mail]));
  for (const wrong of ['mail.send', null, { name: 'mail', queue: 'mails' }, group([[mail, ann]])]) {
    await t.throwsAsync(enqueue(wrong, ann), { code: 'ERR_INVALID_OPTION', message: /^enqueue: expected a task/ });
  }
  await t.throwsAsync(enqueue(mail, ann, { messageId: '' }), { code: 'ERR_INVALID_OPTION', message: /^messageId/ });
  await t.throwsAsync(worker.resolve(TASKS).enqueueMany(mail, 'abc' as never), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => group([['mail', ann]] as never), { code: 'ERR_INVALID_OPTION', message: /^group/ });
  t.throws(() => group([[mail, ann]]).then('mail' as never), { code: 'ERR_INVALID_OPTION' });
});

for (const task of [5, 'yes', { unique: 1 }, { expiresIn: 'soon' }]) {
  test(`a handler whose task setting is ${JSON.stringify(task)} fails the start`, async (t) => {
    const { worker } = taskWorker(t);
    worker.handle(defineJob('plain', { queue: 'plain' }), () => {}, { task } as never);
    await t.throwsAsync(worker.start(), { code: 'ERR_INVALID_OPTION' });
  });
}
