// worker enqueue: one task, or one for each line.
import { milliseconds } from '@warren/core';
import type { JobType } from '@warren/core';
import type { EnqueueOptions, TaskHandle, Tasks } from '@warren/plugin-tasks';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { print, printJson, say } from '../output.js';
import { jobOf } from '../project/project.js';
import { openLines, readBody } from '../publish/body.js';
import { publishMany } from '../publish/many.js';
import { durationOf, messageOptions, wholeOf } from '../publish/options.js';
import type { MessageFlags } from '../publish/options.js';
import { intervalOf } from '../publish/rate.js';
import { payloadOf } from '../publish/target.js';
import { loadTasks, openTasks } from './session.js';
import type { TaskSessionFlags } from './session.js';

export interface EnqueueFlags extends TaskSessionFlags, MessageFlags {
  readonly task: string;
  readonly payload?: string | undefined;
  readonly id?: string | undefined;
  readonly unique?: string | undefined;
  readonly priority?: string | undefined;
  readonly 'expires-in'?: string | undefined;
  readonly ndjson?: boolean | undefined;
  readonly rate?: string | undefined;
}

export async function enqueue(flags: EnqueueFlags): Promise<number> {
  const { payload, rate, ndjson } = flags;
  requireFitting(flags);
  const options = enqueueOptions(flags);
  const interval = rate === undefined ? undefined : intervalOf(rate);
  const project = await loadTasks(flags, 'required');
  const task = jobOf(project, flags.task);
  const { cwd } = project.config;
  if (!ndjson) {
    const body = payload === undefined ? nothing(task) : await readBody(payload, cwd);
    await using session = await openTasks(project);
    return await enqueueOne(session.tasks, { task, body, options }, flags);
  }
  const source = await openLines(payload ?? '@-', cwd);
  await using session = await openTasks(project);
  const target = { publish: async (body: Buffer) => (await enqueued(session.tasks, { task, body, options })).id };
  return await publishMany(target, { source, interval, flags, maxLineBytes: project.options.maxPayloadBytes });
}

function requireFitting({ rate, ndjson, id, unique }: EnqueueFlags): void {
  if (rate !== undefined && !ndjson) throw new UsageError('--rate paces the lines of --ndjson: a single task has none.');
  if (!ndjson) return;
  if (id !== undefined) throw new UsageError('--id is for one task: every line of --ndjson has its own.');
  if (unique !== undefined)
    throw new UsageError('--unique is for one task: of the lines of --ndjson the first would be enqueued alone.');
}

function enqueueOptions(flags: EnqueueFlags): EnqueueOptions {
  const { id, unique, priority } = flags;
  const expiresIn = flags['expires-in'];
  return {
    ...messageOptions(flags),
    ...(id !== undefined && { messageId: id }),
    ...(unique !== undefined && { unique: { key: unique } }),
    ...(priority !== undefined && { priority: wholeOf(priority, '--priority') }),
    ...(expiresIn !== undefined && { expiresIn: milliseconds(durationOf(expiresIn), '--expires-in') }),
  };
}

/** The body of a task that is enqueued without a payload. */
function nothing({ codec }: JobType): Buffer {
  return Buffer.from(codec === 'text' || codec === 'bytes' ? '' : 'null');
}

interface Enqueue {
  readonly task: JobType;
  readonly body: Buffer;
  readonly options: EnqueueOptions;
}

function enqueued(tasks: Tasks, { task, body, options }: Enqueue): Promise<TaskHandle> {
  return tasks.enqueue(task, payloadOf(task, body), options);
}

async function enqueueOne(tasks: Tasks, given: Enqueue, flags: EnqueueFlags): Promise<number> {
  const { id, duplicate } = await enqueued(tasks, given);
  if (flags.json) printJson({ id, duplicate });
  else print(id);
  if (duplicate) say('nothing enqueued: this task is there already', flags);
  return EXIT.done;
}
