// worker tasks retry: a dead task runs again, by its dead letter.
import { connectTo } from '../broker/session.js';
import { Replay } from '../dead-letters/replay.js';
import { QueueReader } from '../dead-letters/reader.js';
import { DeadLetterMissingError, TaskNotDeadError } from '../errors.js';
import { EXIT } from '../exit.js';
import { print, printJson } from '../output.js';
import type { Project } from '../project/project.js';
import { loadTasks, openTasks } from './session.js';
import type { TaskFlags } from './tasks.js';

export async function retry(flags: TaskFlags): Promise<number> {
  const { id } = flags;
  await using session = await openTasks(await loadTasks(flags, 'optional'));
  const { project, worker, tasks } = session;
  const { state, task, queue } = await tasks.handle(id).record();
  if (state !== 'dead') throw new TaskNotDeadError({ id, state });
  const deadLetterQueue = deadLettersOf(project, queue);
  await using broker = await connectTo(project);
  await using reader = await QueueReader.open(broker, deadLetterQueue);
  let failure: { readonly error: unknown } | undefined;
  const replay = new Replay({
    reader,
    deadLetterQueue,
    selection: { text: `id=${id}`, holds: (letter) => letter.id === id && letter.job === task },
    limit: 1,
    interval: undefined,
    to: undefined,
    keepAttempts: false,
    signal: new AbortController().signal,
    send: (copy) => worker.send(copy),
    onFailed: (_letter, error) => (failure = { error }),
  });
  await replay.run();
  if (failure) throw failure.error;
  if (replay.progress.replayed === 0) throw new DeadLetterMissingError({ id, queue: deadLetterQueue });
  if (flags.json) printJson({ id, queue });
  else print(`sent to ${queue}`);
  return EXIT.done;
}

function deadLettersOf({ definitions }: Project, queue: string): string {
  const known = definitions.find(({ job }) => job.queue.name === queue)?.job.queue.deadLetter;
  return known?.exchange === '' ? known.routingKey : `${queue}.dead`;
}
