import test from 'ava';
import { ack, deadLetter, done, isOutcome, postpone, requeue, retry } from '../src/outcome.js';

test('outcomes are told from results that look like them', (t) => {
  for (const outcome of [ack, requeue, postpone(5), retry(), deadLetter(new Error('x')), done(1)]) t.true(isOutcome(outcome));
  for (const value of [{ kind: 'ack' }, { kind: 'retry', delay: 1 }, null, undefined, 'ack', 5, []]) t.false(isOutcome(value));
});

test('the brand is shared by every copy of the package, and does not show', (t) => {
  t.true(Symbol.for('@warren:outcome') in ack);
  t.deepEqual(Object.keys(ack), ['kind']);
  t.is(JSON.stringify(retry({ delay: 5 })), '{"kind":"retry","delay":5}');
});

test('outcomes cannot be changed', (t) => {
  t.throws(() => ((ack as { kind: string }).kind = 'requeue'), { instanceOf: TypeError });
  t.true(Object.isFrozen(retry({ delay: 1 })));
});

test('a result is kept for plugins; no result is a plain ack', (t) => {
  t.is(done(undefined), ack);
  t.deepEqual(done(null) as unknown, { kind: 'ack', result: null });
  t.deepEqual(postpone(50) as unknown, { kind: 'requeue', delay: 50 });
});
