import test from 'ava';
import { endedWithin, withDeadline } from '../../src/amqp/deadline.js';

const silence = new Promise<never>(() => {});

test('a call that is answered in time keeps its answer', async (t) => {
  t.is(await withDeadline(Promise.resolve(7), { operation: 'declare', ms: 1_000 }), 7);
  await t.throwsAsync(withDeadline(Promise.reject(new Error('refused')), { operation: 'declare', ms: 1_000 }), {
    message: 'refused',
  });
});

test('a call that is not answered rejects with the operation and its deadline', async (t) => {
  const error = await t.throwsAsync(withDeadline(silence, { operation: 'declare queue "mail"', ms: 10 }), {
    code: 'ERR_BROKER_TIMEOUT',
  });
  t.true(error.message.includes('declare queue "mail"') && error.message.includes('10 ms'), error.message);
});

test('endedWithin tells an end, good or bad, from a silence', async (t) => {
  t.true(await endedWithin(1_000, Promise.resolve()));
  t.true(await endedWithin(1_000, Promise.reject(new Error('closed already'))));
  t.false(await endedWithin(10, silence));
});
