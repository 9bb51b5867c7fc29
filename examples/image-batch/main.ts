import { mkdirSync } from 'node:fs';
import { openGallery } from './gallery.js';
import { client, enqueueBatch, studio, watch } from './image-batch.js';
import type { Progress } from './image-batch.js';

const { AMQP_URL: url = 'amqp://localhost', WARREN_STORE: store = 'lmdb:.warren/store' } = process.env;
const [command = 'worker', ...args] = process.argv.slice(2);

if (command === 'batch') await batch(args);
else await work(args);

/** Ends with its batch, for it is what serves the pictures. */
async function batch([count = '12']: string[]): Promise<void> {
  await using gallery = await openGallery();
  await using worker = client({ url, store });
  await worker.start();
  const collage = await enqueueBatch(worker, gallery.urls(Number(count)));
  await watch(worker, collage, print);
  console.log(await collage.result());
}

function print({ fraction, done, total, running, collage }: Progress): void {
  const bar = '#'.repeat(Math.round(fraction * 20)).padEnd(20, '.');
  console.log(`[${bar}] ${done} of ${total} done, ${running} running, collage ${collage}`);
}

async function work([folder = 'pictures', duration = '1000']: string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const worker = studio({ url, store, folder, duration: Number(duration), print: console.log });
  process.once('SIGINT', () => void worker.stop());
  await worker.start();
  console.log(`Working on pictures in ${folder}. kill -9 ${process.pid} does no harm.`);
}
