import test from 'ava';
import { CLOCK, defineJob, fixed, handler, inject, injectable, never, token } from '../src/index.js';
import type { Clock, HandlerInfo, Job, Plugin, Token } from '../src/index.js';
import { createContainer } from '../src/container.js';
import { resolveHandler } from '../src/handler.js';
import { createTestWorker } from '../src/testing/index.js';

interface Mailer {
  send(to: string): void;
}

const MAILER: Token<Mailer> = token('test-mailer');
const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });

@injectable()
class MailHandler {
  static made = 0;

  constructor(
    @inject(MAILER) readonly mailer: Mailer,
    @inject(CLOCK) readonly clock: Clock,
  ) {
    MailHandler.made++;
  }

  async handle({ payload }: Job<{ to: string }>): Promise<void> {
    this.mailer.send(`${payload.to} at ${new Date(this.clock.now()).getUTCFullYear()}`);
  }
}

test('a class is made once by the worker’s container, with the user’s services and the worker’s', async (t) => {
  const sent: string[] = [];
  const container = createContainer();
  container.register(MAILER, { useValue: { send: (to: string) => void sent.push(to) } });
  const worker = createTestWorker({ container });
  worker.handle(mail, MailHandler);
  await worker.deliver(mail, { to: 'ann' });
  await worker.deliver(mail, { to: 'bob' });
  t.deepEqual(sent, ['ann at 2030', 'bob at 2030']);
  t.is(MailHandler.made, 1);
});

test('a class whose service is not there fails the start', async (t) => {
  const worker = createTestWorker();
  worker.handle(mail, MailHandler);
  const error = await t.throwsAsync(worker.start());
  t.true(error.message.includes('MailHandler'), error.message);
  t.is(worker.state, 'stopped');
});

test('what is neither a function nor a class is refused at the start', (t) => {
  for (const wrong of [undefined, {}, 'handle', { handle: () => {} }]) {
    const definition = { job: mail, handler: wrong as never, options: {} };
    const error = t.throws(() => resolveHandler(definition, createContainer()), { code: 'ERR_INVALID_OPTION' });
    t.true(error.message.includes('handler of job "mail"'), error.message);
  }
});

const work = (): void => {};

test('handler() is a definition as a value', (t) => {
  t.deepEqual(handler(mail, work), { job: mail, handler: work, options: {} });
  t.deepEqual(handler(mail, work, { concurrency: 2 }).options, { concurrency: 2 });
});

test('options that come with a job’s definition hold for whoever handles it, unless worker.handle says otherwise', async (t) => {
  const picky = defineJob<number>('picky', { queue: 'picky', handling: { retry: never, timeout: 1_000 } });
  const seen: HandlerInfo[] = [];
  const recorder: Plugin = { name: 'recorder-of-options', consume: (next, info) => (seen.push(info), next) };
  for (const options of [{}, { retry: fixed({ maxAttempts: 3, delay: 5 }) }]) {
    const worker = createTestWorker({ plugins: [recorder] });
    worker.handle(picky, () => Promise.reject(new Error('no')), options);
    const { kind } = await worker.deliver(picky, 1);
    t.is(kind, options.retry ? 'retry' : 'deadLetter');
    t.is(seen.at(-1)?.policy, options.retry ?? never);
    t.is(seen.at(-1)?.options.timeout, 1_000);
  }
});
