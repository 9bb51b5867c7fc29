import test from 'ava';
import { WorkerEvents } from '../src/index.js';

test.serial('what a listener throws does not reach who tells the event: it is an uncaught exception of its own', (t) => {
  const events = new WorkerEvents();
  events.on('unblocked', () => {
    throw new Error('a listener of the user');
  });
  const uncaught: Array<() => void> = [];
  const { queueMicrotask } = globalThis;
  globalThis.queueMicrotask = (callback) => uncaught.push(callback);
  try {
    t.true(events.emit('unblocked'));
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
  t.is(uncaught.length, 1);
  t.throws(uncaught[0] as () => void, { message: 'a listener of the user' });
});
