import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { TaskFailedError } from '@warren/plugin-tasks';
import { freshBroker } from '@warren/test-broker';
import { worker as cli } from '../_cli.js';
import { temporaryFolder } from '../_program.js';
import { Recorder } from '../_recorder.js';
import { enqueueEmail, mailer } from './email-retries.js';
import { startProvider } from './provider.js';
import type { Provider } from './provider.js';

test('every mail goes out once, whatever the provider answers', async (t) => {
  const { worker, provider } = await office(t);
  const receivers = Array.from({ length: 12 }, (_, index) => `user${index}@example.org`);
  const sent = await Promise.all(receivers.map((to) => enqueueEmail(worker, { to, template: 'welcome' })));
  const results = await Promise.all(sent.map((task) => task.result({ timeout: '2m' })));
  t.is(new Set(results.map((result) => JSON.stringify(result))).size, 12);
  t.deepEqual(provider.sent.map(({ to }) => to).toSorted(), receivers.toSorted());
  for (const status of [0, 200, 429, 503]) t.true(provider.answers.has(status), `never answered ${status}`);
});

test('what the provider asks to wait for is charged to no mail; what it fails at is', async (t) => {
  const { worker, provider } = await office(t);
  const emails = Array.from({ length: 12 }, (_, index) => ({ to: `user${index}@example.org`, template: 'news' }));
  const sent = await Promise.all(emails.map((email) => enqueueEmail(worker, email)));
  await Promise.all(sent.map((task) => task.result({ timeout: '2m' })));
  const attempts = await Promise.all(sent.map(async (task) => (await task.record()).attempts));
  const failures = (provider.answers.get(503) ?? 0) + (provider.answers.get(0) ?? 0);
  t.is(
    attempts.reduce((sum, each) => sum + each),
    12 + failures,
  );
});

test('a refused mail dies at once; when the cause is mended it is replayed, and goes out', async (t) => {
  const { url, worker, provider, answers } = await office(t, 'new.example');
  const task = await enqueueEmail(worker, { to: 'ann@new.example', template: 'welcome' });
  await t.throwsAsync(task.result({ timeout: '2m' }), { instanceOf: TaskFailedError, message: /422: domain not verified/ });
  t.like(await task.record(), { state: 'dead', attempts: 1, error: { code: 'ERR_EMAIL_REFUSED' } });
  const where = ['emails.dead', '--where', 'error=EmailRefusedError', '--url', url];
  const [letter] = JSON.parse(await cli('dlq', 'show', ...where, '--json')) as unknown[];
  t.like(letter, { id: task.id, job: 'email.send', queue: 'emails', attempts: 1 });

  provider.refused = undefined;
  await cli('dlq', 'replay', ...where);
  await answers.find((line) => line.startsWith('200'));
  await task.result({ timeout: '2m' });
  t.deepEqual(provider.sent, [{ to: 'ann@new.example', template: 'welcome' }]);
});

test('a mail that is asked for twice goes out once, and both askers are told which', async (t) => {
  const { worker, provider } = await office(t);
  const email = { to: 'ben@example.org', template: 'welcome' };
  const first = await enqueueEmail(worker, email);
  const mail = await first.result({ timeout: '2m' });
  const second = await enqueueEmail(worker, email);
  t.not(second.id, first.id);
  t.deepEqual(await second.result({ timeout: '2m' }), mail);
  t.is(provider.sent.length, 1);
});

interface Office {
  url: string;
  worker: Worker;
  provider: Provider;
  /** What the provider prints. */
  answers: Recorder<string>;
}

/** A mailer at work for which a second is short, and its provider. */
async function office(t: ExecutionContext, refused?: string): Promise<Office> {
  const { url } = await freshBroker(t);
  const answers = new Recorder<string>();
  const provider = await startProvider({ refused, print: answers.add });
  t.teardown(() => provider[Symbol.asyncDispose]());
  const store = `lmdb:${join(temporaryFolder(t), 'store')}`;
  const worker = mailer({ url, store, provider: provider.url, second: 50 });
  t.teardown(() => worker.stop());
  await worker.start();
  return { url, worker, provider, answers };
}
