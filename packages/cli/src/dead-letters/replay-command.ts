// worker dlq replay: dead letters back to the queues that they died in.
import { Worker } from '@warren/core';
import type { Session } from '../broker/session.js';
import { UsageError } from '../errors.js';
import { describe, EXIT } from '../exit.js';
import { limitOf, print, printable, printJson, say } from '../output.js';
import { bar, perSecond, showProgress, tell } from '../progress.js';
import { CONNECT_TIMEOUT } from '../project/project.js';
import type { Project } from '../project/project.js';
import { intervalOf } from '../publish/rate.js';
import type { DeadLetter } from './letter.js';
import { QueueReader } from './reader.js';
import { Replay } from './replay.js';
import type { ReplayOptions } from './replay.js';
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

/** Milliseconds. A copy that is unconfirmed when a replay breaks off is not waited for: its letter goes back. */
const STOP_TIME = 2_000;

export async function replay(flags: ReplayFlags): Promise<number> {
  const { queue } = flags;
  const wanted = wantedOf(flags);
  await using session = await openDeadLetters(flags);
  await requireQueue(session, flags.to);
  const worker = senderOf(session.project);
  await using _ = { [Symbol.asyncDispose]: async () => void (await worker.stop({ deadline: STOP_TIME })) };
  const dryRun = flags['dry-run'] ?? false;
  if (!dryRun) await worker.start();
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await using reader = await QueueReader.open(session.broker, queue);
  const replay = new Replay({
    ...wanted,
    reader,
    signal: interrupted.signal,
    send: dryRun ? undefined : (copy) => worker.send(copy),
    onFailed: (letter, error) => tell(`${printable(nameOf(letter))}: ${describe(error)}`),
  });
  await withProgress(replay, { reader, flags });
  process.off('SIGINT', stop).off('SIGTERM', stop);
  return summarize(replay, { flags, interrupted: interrupted.signal.aborted, found: reader.count });
}

/** What the flags say, checked before anything is connected. */
function wantedOf(flags: ReplayFlags): Omit<ReplayOptions, 'reader' | 'signal' | 'send' | 'onFailed'> {
  const { queue, to, rate } = flags;
  if (to === queue) throw new UsageError(`--to: the dead letters are in "${queue}" already.`);
  return {
    deadLetterQueue: queue,
    to,
    keepAttempts: flags['keep-attempts'] ?? false,
    selection: selectionOf(flags),
    limit: limitOf(flags.limit, Infinity),
    interval: rate === undefined ? undefined : intervalOf(rate),
  };
}

/** Rejects with `ERR_TOPOLOGY_MISSING` where `--to` names no queue: each letter would be refused by itself, and a dry run would not tell. */
async function requireQueue({ broker }: Session, to: string | undefined): Promise<void> {
  if (to !== undefined) await broker.queue(to);
}

/** The project's plugins would only hold up what is sent as it is. */
function senderOf({ options }: Project): Worker {
  return new Worker({ startTimeout: CONNECT_TIMEOUT, ...options, plugins: [] });
}

async function withProgress(replay: Replay, { reader, flags }: { reader: QueueReader; flags: ReplayFlags }): Promise<void> {
  using _ = flags.quiet ? undefined : showProgress(() => progressLine(replay, reader));
  try {
    await replay.run();
  } catch (error) {
    tell(`${replay.progress.replayed} of ${reader.count} were replayed before this; nothing is lost`);
    throw error;
  }
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
    const places = Object.entries(destinations).map(([name, count]) => `${count} to ${printable(name)}`);
    const to = places.length > 0 ? ` (${places.join(', ')})` : '';
    print(`${replayed} of ${found} ${dryRun ? 'would be ' : ''}replayed${to}, ${failed} failed, in ${seconds} s`);
  }
  return failed > 0 || interrupted ? EXIT.failed : EXIT.done;
}
