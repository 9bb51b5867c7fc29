import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ChannelListener } from 'node:diagnostics_channel';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { defineJob, fixed } from '../src/index.js';
import type { JobEvent, PublishEvent, SettleEvent } from '../src/index.js';
import { createTestWorker } from '../src/testing/index.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });

/** The channels belong to the process: one test at a time. */
function listen<E>(t: ExecutionContext, name: string): E[] {
  const heard: E[] = [];
  const listener: ChannelListener = (event) => void heard.push(event as E);
  subscribe(name, listener);
  t.teardown(() => void unsubscribe(name, listener));
  return heard;
}

test.serial('a job is announced when it starts and when it settles, with its outcome and its time', async (t) => {
  const started = listen<JobEvent>(t, 'warren:job:start');
  const settled = listen<SettleEvent>(t, 'warren:job:settle');
  const worker = createTestWorker();
  worker.handle(
    mail,
    ({ attempt }) => {
      if (attempt === 1) throw new Error('not yet');
    },
    { retry: fixed({ maxAttempts: 2, delay: 5 }) },
  );
  await worker.deliver(mail, { to: 'ann' });
  await worker.deliver(mail, { to: 'ann' }, { attempt: 2 });
  t.deepEqual(
    started.map(({ job }) => job?.attempt),
    [1, 2],
  );
  t.deepEqual(
    settled.map(({ job, outcome }) => [job?.attempt, outcome.kind]),
    [
      [1, 'retry'],
      [2, 'ack'],
    ],
  );
  t.true(settled.every(({ ms, delivery }) => ms >= 0 && delivery.queue === 'mails'));
});

test.serial('a message that cannot be decoded settles without a job, and never starts', async (t) => {
  const started = listen<JobEvent>(t, 'warren:job:start');
  const settled = listen<SettleEvent>(t, 'warren:job:settle');
  const worker = createTestWorker().handle(mail, () => t.fail());
  await worker.deliver(mail, { to: 'ann' }, { content: Buffer.from('{') });
  t.deepEqual(started, []);
  t.like(settled[0], { job: undefined, outcome: { kind: 'deadLetter' } });
});

test.serial('a message that no handler is for settles without a job', async (t) => {
  const settled = listen<SettleEvent>(t, 'warren:job:settle');
  const worker = createTestWorker().handle(mail, () => t.fail());
  await worker.deliver(mail, { to: 'ann' }, { type: 'fax' });
  t.like(settled[0], { job: undefined, outcome: { kind: 'retry' } });
});

test.serial('a publish is announced when it is confirmed, or refused with its error', async (t) => {
  const published = listen<PublishEvent>(t, 'warren:message:publish');
  const worker = createTestWorker();
  await worker.start();
  await worker.publish(mail, { to: 'ann' }, { messageId: 'm-1' });
  const refused = new Error('refused');
  worker.connection.onPublish = () => {
    throw refused;
  };
  t.is(await t.throwsAsync(worker.publish(mail, { to: 'ann' }, { messageId: 'm-2' })), refused);
  t.deepEqual(
    published.map(({ message, error }) => [message.properties.messageId, error]),
    [
      ['m-1', undefined],
      ['m-2', refused],
    ],
  );
});
