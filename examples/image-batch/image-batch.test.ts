import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Worker } from '@warren/core';
import { freshBroker } from '@warren/test-broker';
import { runMain, temporaryFolder } from '../_program.js';
import type { Program } from '../_program.js';
import { openGallery } from './gallery.js';
import { client, enqueueBatch, progressOf, watch } from './image-batch.js';
import type { Progress } from './image-batch.js';
import { decode } from './image.js';

const COUNT = 8;

test('a worker is killed in the middle of a picture: all pictures arrive, and their collage is made once', async (t) => {
  const { folder, worker, urls, run } = await studios(t);
  const [victim, other] = [run({ duration: 60_000 }), run()];
  await Promise.all([victim.lines.first(1), other.lines.first(1)]);
  const batch = await enqueueBatch(worker, urls);
  await victim.lines.find((line) => line.startsWith('resize'));
  await victim.kill();
  t.is(await batch.result({ timeout: '2m' }), join(folder, 'collage.pgm'));

  const collage = decode(await readFile(join(folder, 'collage.pgm')));
  const greys = Array.from({ length: COUNT }, (_, index) => collage.pixels[(index * collage.pixels.length) / COUNT]);
  t.deepEqual([collage.width, collage.height], [32, COUNT * 16]);
  t.deepEqual(
    greys,
    urls.map((_, index) => index),
    'in the order in which they were enqueued',
  );
  const resized = other.lines.all.filter((line) => line.startsWith('resize'));
  t.is(new Set(resized).size, COUNT, 'what the victim had begun, too');
  const made = [victim, other].flatMap(({ lines }) => lines.all).filter((line) => line.startsWith('collage'));
  t.deepEqual(made, [`collage of ${COUNT}`]);
});

test('a watcher sees the batch get on, from its first picture to its collage', async (t) => {
  const { worker, urls, run } = await studios(t);
  const batch = await enqueueBatch(worker, urls);
  const nothing = { total: COUNT, done: 0, running: 0, fraction: 0, collage: 'waiting' };
  t.deepEqual(await progressOf(worker, batch), nothing as Progress);
  run();
  const seen: Progress[] = [];
  await watch(worker, batch, (progress) => seen.push(progress));
  t.true(seen.some(({ running, collage }) => running > 0 && collage === 'waiting'));
  t.deepEqual(
    seen.map(({ fraction }) => fraction),
    seen.map(({ fraction }) => fraction).toSorted((a, b) => a - b),
    'it never goes back where nobody is killed',
  );
  t.deepEqual(seen.at(-1), { total: COUNT, done: COUNT, running: 0, fraction: 1, collage: 'succeeded' });
});

interface Studios {
  folder: string;
  /** Only enqueues. */
  worker: Worker;
  urls: string[];
  /** A process that works on pictures, `duration` milliseconds on each. */
  readonly run: (options?: { duration?: number }) => Program;
}

async function studios(t: ExecutionContext): Promise<Studios> {
  const { url } = await freshBroker(t);
  const folder = temporaryFolder(t);
  const store = `lmdb:${join(folder, 'store')}`;
  const gallery = await openGallery();
  t.teardown(() => gallery[Symbol.asyncDispose]());
  const worker = client({ url, store });
  t.teardown(() => worker.stop());
  await worker.start();
  const env = { AMQP_URL: url, WARREN_STORE: store };
  const run: Studios['run'] = ({ duration = 300 } = {}) =>
    runMain(t, 'image-batch', { args: ['worker', folder, String(duration)], env });
  return { folder, worker, urls: gallery.urls(COUNT), run };
}
