import { createTestWorker } from '@warren/core/testing';
import delay from '@warren/plugin-delay';
import test from 'ava';
import tasks, { defineTask } from '../src/index.js';

test('workers may share a plugin: schedules and a store that it makes are those of one', async (t) => {
  const plugins = [delay(), tasks({ store: 'memory:' })];
  const [one, other] = [createTestWorker({ plugins }), createTestWorker({ plugins })];
  t.teardown(() => other.stop());
  const report = defineTask('report', { queue: 'reports' });
  for (const worker of [one, other]) await worker.handle(report, () => 'done', { schedule: { every: '1d' } }).start();
  await one.stop();
  const handle = await other.enqueue(report, {});
  await other.advance('1s');
  t.is(await handle.state(), 'succeeded');
});
