import test from 'ava';
import { progressLine } from '../src/publish/progress.js';
import { readable, shortTime } from '../src/start/readable.js';

test('a job is one short line', (t) => {
  const facts = { job: 'mail', id: 'abc', attempt: 2, ms: 12.34, delay: 90_000, err: new TypeError('no') };
  t.deepEqual(readable('warn', 'retry', facts), {
    event: 'retry',
    text: 'mail  id=abc  attempt=2  12 ms  again in 2 min  TypeError: no',
  });
  t.deepEqual(readable('info', 'done', { attempt: 1, ms: 3 }), { event: 'done', text: 'unknown job  attempt=1  3 ms' });
});

test('what the connection tells has a line of its own', (t) => {
  t.is(
    readable('warn', 'reconnecting', { attempt: 2, delay: 800, err: new Error('refused') }).text,
    'attempt 2 in 800 ms  Error: refused',
  );
  t.is(readable('warn', 'alarm', { attempts: 5 }).text, 'still not connected after 5 attempts');
  t.is(readable('warn', 'blocked', { reason: 'low on memory' }).text, 'the broker takes no messages: low on memory');
});

test('anything else is shown with its level and its facts', (t) => {
  t.deepEqual(readable('info', 'saved', { rows: 2, table: 'a', none: undefined, tags: ['x'] }), {
    event: 'info',
    text: "saved  rows=2  table=a  tags=[ 'x' ]",
  });
  t.deepEqual(readable('info', 'constructor', {}), { event: 'info', text: 'constructor' });
});

test('times are short', (t) => {
  t.deepEqual([0.24, 9, 12.6, 999.9, 1_250, 90_000, 5_400_000].map(shortTime), [
    '0.2 ms',
    '9 ms',
    '13 ms',
    '1 s',
    '1.3 s',
    '2 min',
    '1.5 h',
  ]);
});

test('progress is a bar where the end is known, and a count where it is not', (t) => {
  const progress = { published: 500, invalid: 1, bytes: 50, totalBytes: 100, elapsed: 2_000 };
  t.is(progressLine(progress), '██████████░░░░░░░░░░ 50 %  500 published  250/s  1 invalid');
  t.is(progressLine({ ...progress, totalBytes: undefined }), '500 published  250/s  1 invalid');
});
