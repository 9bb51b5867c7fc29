import test from 'ava';
import * as fc from 'fast-check';
import { Outbox } from '../../src/amqp/outbox.js';
import type { Entry } from '../../src/amqp/outbox.js';
import { ConnectionLostError } from '../../src/errors.js';
import type { Message } from '../../src/message.js';

function message(messageId: string, bytes = 10): Message {
  return { exchange: '', routingKey: 'q', content: Buffer.alloc(bytes), properties: { messageId }, options: {} };
}

function outbox(options: { messages?: number; bytes?: number; whenFull?: 'wait' | 'reject' } = {}): Outbox {
  return new Outbox({ messages: 100, bytes: 10_000, whenFull: 'reject', ...options });
}

function next(box: Outbox): Entry {
  const entry = box.next();
  if (!entry) throw new Error('nothing to send');
  return entry;
}

test('messages leave in the order in which they came, and each is answered', async (t) => {
  const box = outbox();
  const answers = ['a', 'b', 'c'].map((id) => box.add(message(id), 5_000));
  const sent = [next(box), next(box), next(box)];
  t.deepEqual(
    sent.map(({ messageId }) => messageId),
    ['a', 'b', 'c'],
  );
  t.is(box.next(), undefined);
  for (const entry of sent.toReversed()) box.settle(entry);
  await Promise.all(answers);
  t.is(box.sent.size, 0);
  await box.empty();
});

test('a full buffer refuses by messages and by bytes, and takes again when something is settled', async (t) => {
  const few = outbox({ messages: 2 });
  const first = few.add(message('a'), 5_000);
  const second = few.add(message('b'), 5_000);
  await t.throwsAsync(few.add(message('c'), 5_000), { code: 'ERR_PUBLISH_BUFFER_FULL' });
  few.settle(next(few));
  await first;
  const third = few.add(message('c'), 5_000);
  few.fail(new ConnectionLostError());
  await t.throwsAsync(second, { code: 'ERR_CONNECTION_LOST' });
  await t.throwsAsync(third, { code: 'ERR_CONNECTION_LOST' });

  const small = outbox({ bytes: 25 });
  const kept = [small.add(message('a'), 5_000), small.add(message('b'), 5_000)];
  await t.throwsAsync(small.add(message('c'), 5_000), { code: 'ERR_PUBLISH_BUFFER_FULL' });
  for (const each of kept) {
    small.settle(next(small));
    await each;
  }
  await small.empty();
});

test('a buffer that waits holds back what is too much until something is confirmed', async (t) => {
  const box = outbox({ messages: 1, whenFull: 'wait' });
  const answers = [box.add(message('a'), 5_000), box.add(message('b'), 5_000)];
  const first = next(box);
  t.is(box.next(), undefined);
  box.settle(first);
  box.settle(next(box));
  await Promise.all(answers);
  t.pass();
});

test('an entry past its deadline is answered, and says whether it was sent', async (t) => {
  const box = outbox();
  const sent = box.add(message('sent'), 1);
  next(box);
  const waiting = box.add(message('waiting'), 1);
  const late = await t.throwsAsync(sent, { code: 'ERR_PUBLISH_TIMEOUT' });
  const unsent = await t.throwsAsync(waiting, { code: 'ERR_PUBLISH_TIMEOUT' });
  t.true(late.message.includes('the broker may have it'), late.message);
  t.true(unsent.message.includes('It was not sent'), unsent.message);
  t.is(box.next(), undefined, 'what has timed out is not sent any more');
});

test('what was in flight is sent again first, in its order, but not what its caller has given up', async (t) => {
  const box = outbox();
  const timedOut = box.add(message('late'), 1);
  next(box);
  const answers = ['a', 'b', 'c'].map((id) => box.add(message(id), 5_000));
  const first = next(box);
  first.returned = true;
  next(box);
  await t.throwsAsync(timedOut, { code: 'ERR_PUBLISH_TIMEOUT' });
  t.is(box.resend(), 2);
  t.false(first.returned, 'a return belongs to the sending before');
  const again = [next(box), next(box), next(box)];
  t.deepEqual(
    again.map(({ messageId }) => messageId),
    ['a', 'b', 'c'],
  );
  for (const entry of again) box.settle(entry);
  await Promise.all(answers);
});

test('an entry is answered once: a second confirm changes nothing', async (t) => {
  const box = outbox();
  const answer = box.add(message('a'), 5_000);
  const entry = next(box);
  box.settle(entry);
  box.settle(entry, new ConnectionLostError());
  await answer;
  const other = box.add(message('b'), 5_000);
  box.settle(next(box));
  await other;
  await box.empty();
  t.pass();
});

test('whatever happens in whatever order, every caller is answered once', async (t) => {
  const steps = fc.array(fc.constantFrom('add', 'send', 'confirm', 'refuse', 'resend'), { maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(steps, async (does) => {
      const box = outbox({ whenFull: 'wait' });
      const answers: Array<Promise<string>> = [];
      let count = 0;
      for (const step of does) {
        const [oldest] = box.sent;
        if (step === 'add')
          answers.push(
            box.add(message(`m${count++}`), 60_000).then(
              () => 'confirmed',
              (error: { code: string }) => error.code,
            ),
          );
        else if (step === 'send') box.next();
        else if (step === 'resend') box.resend();
        else if (oldest) box.settle(oldest, step === 'refuse' ? new ConnectionLostError() : undefined);
      }
      box.fail(new ConnectionLostError());
      await box.empty();
      const known = new Set(['confirmed', 'ERR_CONNECTION_LOST']);
      for (const answer of await Promise.all(answers)) if (!known.has(answer)) throw new Error(answer);
    }),
    { numRuns: 200 },
  );
  t.pass();
});
