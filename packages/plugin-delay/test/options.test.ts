import test from 'ava';
import { settingsOf } from '../src/options.js';

test('an option that there is not is refused', (t) => {
  t.throws(() => settingsOf({ queue: 'classic' } as never), { code: 'ERR_UNKNOWN_OPTION' });
});

test('quorum queues named delay.* are the default', (t) => {
  t.deepEqual(settingsOf(), { queueType: 'quorum', prefix: 'delay' });
});

test('another queue type or prefix than expected is refused', (t) => {
  for (const queueType of ['stream', 'Quorum', 1] as unknown as 'quorum'[]) {
    t.throws(() => settingsOf({ queueType }), { code: 'ERR_INVALID_OPTION', message: /^queueType: expected/ });
  }
  for (const prefix of ['', 'a.b', 'a b', '#', 'p'.repeat(21), 7 as unknown as string]) {
    t.throws(() => settingsOf({ prefix }), { code: 'ERR_INVALID_OPTION', message: /^prefix: expected/ });
  }
});
