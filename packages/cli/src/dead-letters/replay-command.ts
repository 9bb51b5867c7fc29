// worker dlq replay: dead letters back to the queues that they died in.
import { Worker } from '@warren/core';
import { UsageError } from '../errors.js';
import { describe, EXIT } from '../exit.js';
import { limitOf, print, printJson, say } from '../output.js';
import { bar, perSecond, showProgress, tell } from '../progress.js';
import { CONNECT_TIMEOUT } from '../project/project.js';
import { intervalOf } from '../publish/rate.js';
import type { DeadLetter } from './letter.js';
import { QueueReader } from './reader.js';
import { Replay } from './replay.js';
import { selectionOf } from './selection.js';
import { openDeadLetters } from './session.js';
import type { DeadLetterFlags } from './session.js';

export interface ReplayFlags extends DeadLetterFlags {
  readonly limit?: string | undefined;
  readonly rate?: string | undefined;
  readonly to?: string | undefined;
  readonly 'dry-run'?: boolean | undefined;
  readonly 'keep-attempts'?: boolean | undefined;
}

export async function replay(flags: ReplayFlags): Promise<number> {
  const { queue, to } = flags;
  const [selection, limit] = [selectionOf(flags), limitOf(flags.limit, Infinity)];
  const interval = flags.rate === undefined ? undefined : intervalOf(flags.rate);
  if (to === queue) throw new UsageError(`--to: the dead letters are in "${queue}" already.`);
  await using session = await openDeadLetters(flags);
  // Its plugins would only hold up what is sent as it is.
  await using worker = new Worker({ startTimeout: CONNECT_TIMEOUT, ...session.project.options, plugins: [] });
  if (!flags['dry-run']) await worker.start();
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await using reader = await QueueReader.open(session.broker, queue);
  const replay = new Replay({
    reader,
    selection,
    limit,
    interval,
    deadLetterQueue: queue,
    to,
    keepAttempts: flags['keep-attempts'] ?? false,
    signal: interrupted.signal,
    send: flags['dry-run'] ? undefined : (copy) => worker.send(copy),
    onFailed: (letter, error) => tell(`${nameOf(letter)}: ${describe(error)}`),
  });
  {
    using _ = flags.quiet ? undefined : showProgress(() => progressLine(replay, reader));
    await replay.run();
  }
  process.off('SIGINT', stop).off('SIGTERM', stop);
  return summarize(replay, { flags, interrupted: interrupted.signal.aborted, found: reader.count });
}

const nameOf = ({ id, job }: DeadLetter): string => [job, id].filter(Boolean).join(' ') || 'a message without an id';

function progressLine({ progress: { replayed, failed, elapsed } }: Replay, { taken, count }: QueueReader): string {
  return `${bar(taken, count)}${replayed} replayed  ${perSecond(replayed, elapsed)}/s  ${failed} failed`;
}

interface Result {
  readonly flags: ReplayFlags;
  readonly interrupted: boolean;
  readonly found: number;
}

function summarize({ progress }: Replay, { flags, interrupted, found }: Result): number {
  const { replayed, failed, elapsed, destinations } = progress;
  const dryRun = flags['dry-run'] ?? false;
  const seconds = Math.round(elapsed) / 1_000;
  if (interrupted) say('worker: interrupted', flags);
  if (flags.json) printJson({ queue: flags.queue, dryRun, found, replayed, failed, destinations, seconds, interrupted });
  else {
    const places = Object.entries(destinations).map(([name, count]) => `${count} to ${name}`);
    const to = places.length > 0 ? ` (${places.join(', ')})` : '';
    print(`${replayed} of ${found} ${dryRun ? 'would be ' : ''}replayed${to}, ${failed} failed, in ${seconds} s`);
  }
  return failed > 0 || interrupted ? EXIT.failed : EXIT.done;
}
