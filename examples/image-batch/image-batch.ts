// A batch of pictures: each is fetched and made smaller, beside the others; when all are, a collage is made of them, once.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorker } from '@warren/core';
import type { Job, JobType, Worker } from '@warren/core';
import delay from '@warren/plugin-delay';
import tasks, { chain, defineTask, group, TASKS } from '@warren/plugin-tasks';
import type { TaskHandle, TaskState } from '@warren/plugin-tasks';
import { decode, encode, halved, stacked } from './image.js';

const options = { queue: 'images', timeout: 60_000 };

/** A picture's address; its result is the path of the file. Results are small: what is large is where they say. */
export const fetchImage: JobType<string> = defineTask<string>('image.fetch', options);
export const resizeImage: JobType<string> = defineTask<string>('image.resize', options);
export const makeCollage: JobType<string[]> = defineTask<string[]>('image.collage', options);

export interface StudioOptions {
  url: string;
  /** Shared by all workers, as the folder is. */
  store: string;
  folder: string;
  /** How long a task stays with a worker that was killed. */
  lease?: string;
  /** Milliseconds that a picture takes to be made smaller. Default 1000. */
  duration?: number;
  print?: (line: string) => unknown;
}

/** Enqueues batches; not started. */
export function client({ url, store, lease = '5s' }: Pick<StudioOptions, 'url' | 'store' | 'lease'>): Worker {
  return createWorker({ url, concurrency: 2, plugins: [delay(), tasks({ store, lease })] });
}

/** Works on pictures, two of a kind at a time; not started. */
export function studio({ folder, duration = 1_000, print = () => {}, ...options }: StudioOptions): Worker {
  return client(options)
    .handle(fetchImage, async ({ payload: url, signal }) => {
      print(`fetch ${basename(url)}`);
      const response = await fetch(url, { signal });
      if (!response.ok) throw new Error(`${url} was answered with ${response.status}.`);
      return save(join(folder, basename(url)), Buffer.from(await response.arrayBuffer()));
    })
    .handle(resizeImage, async (job) => {
      print(`resize ${basename(job.payload)}`);
      const image = decode(await readFile(job.payload));
      await work(job, duration);
      return save(job.payload.replace(/\.pgm$/, '.small.pgm'), encode(halved(image)));
    })
    .handle(makeCollage, async ({ payload: paths }) => {
      print(`collage of ${paths.length}`);
      const images = await Promise.all(paths.map(async (path) => decode(await readFile(path))));
      return save(join(folder, 'collage.pgm'), encode(stacked(images)));
    });
}

/** The handle is the collage's. */
export function enqueueBatch(worker: Worker, urls: readonly string[]): Promise<TaskHandle> {
  const small = chain([fetchImage, resizeImage]);
  return worker.enqueue(group(urls.map((url) => [small, url])).then(makeCollage));
}

export interface Progress {
  /** Pictures. */
  total: number;
  done: number;
  running: number;
  /** From 0 to 1. */
  fraction: number;
  collage: TaskState;
}

/** How far a batch is. */
export async function progressOf(worker: Worker, batch: TaskHandle): Promise<Progress> {
  const collage = await batch.state();
  const records = await Promise.all(batch.flow.map((id) => worker.resolve(TASKS).get(id)));
  const pictures = records.filter((record) => record?.task === resizeImage.name);
  const count = (state: TaskState): number => pictures.filter((picture) => picture?.state === state).length;
  return {
    total: pictures.length,
    done: count('succeeded'),
    running: count('running'),
    fraction: pictures.reduce((sum, picture) => sum + (picture?.progress ?? 0), 0) / pictures.length,
    collage,
  };
}

/** Looks four times a second, until the collage is made or cannot be. */
export async function watch(worker: Worker, batch: TaskHandle, onProgress: (progress: Progress) => unknown): Promise<void> {
  for (;;) {
    const progress = await progressOf(worker, batch);
    await onProgress(progress);
    if (['succeeded', 'failed', 'dead', 'cancelled'].includes(progress.collage)) return;
    await sleep(250);
  }
}

/** Ten steps, each of which shows in the record. */
async function work(job: Job, duration: number): Promise<void> {
  for (let step = 1; step <= 10; step++) {
    await sleep(duration / 10, undefined, { signal: job.signal });
    await job.progress(step / 10);
  }
}

/** A whole file or none: a worker that is killed leaves no half of one, and one that does the work again writes the same. */
async function save(path: string, bytes: Uint8Array): Promise<string> {
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, bytes);
  await rename(part, path);
  return path;
}
