import test from 'ava';
import { breakableBroker } from '@warren/test-broker';
import { Recorder } from '../_recorder.js';
import { newTask, work } from './work-queues.js';

test('every confirmed task is there after the broker was stopped, and after it was killed', async (t) => {
  const broker = await breakableBroker(t);
  await newTask(broker.url, ...tasks('stopped'));
  await broker.stop();
  await broker.start();
  await newTask(broker.url, ...tasks('killed'));
  await broker.kill();
  await broker.start();

  const printed = new Recorder<string>();
  await using worker = work({ url: broker.url, print: printed.add });
  await worker.start();
  const lines = await printed.first(80);
  const done = lines.filter((line) => line.startsWith('Done ')).map((line) => line.replace('Done ', ''));
  t.deepEqual(done, [...tasks('stopped'), ...tasks('killed')]);
});

function tasks(name: string): string[] {
  return Array.from({ length: 20 }, (_, index) => `${name} ${index}`);
}
