import test from 'ava';
import { CLOCK, defineJob, handler, inject, injectable, token } from '../src/index.js';
import type { Clock, Job, Token } from '../src/index.js';
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
