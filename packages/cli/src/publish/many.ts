// Many messages from lines of JSON, with progress and a summary.
import { describe, EXIT } from '../exit.js';
import { print, printJson, say } from '../output.js';
import type { OutputFlags } from '../output.js';
import { perSecond, showProgress, tell } from '../progress.js';
import type { Source } from './body.js';
import { Bulk } from './bulk.js';
import { progressLine } from './progress.js';
import type { Target } from './target.js';

/** A longer line is refused where no other limit is configured. */
const MAX_LINE_BYTES = 16 * 2 ** 20;

export interface ManyOptions {
  readonly source: Source;
  /** Milliseconds between messages; undefined is as fast as the broker confirms. */
  readonly interval: number | undefined;
  readonly maxLineBytes: number | undefined;
  readonly flags: OutputFlags;
}

/** Publishes every line of the source to the target, until SIGINT or SIGTERM. Resolves to the exit code. */
export async function publishMany(
  target: Target,
  { source, interval, maxLineBytes = MAX_LINE_BYTES, flags }: ManyOptions,
): Promise<number> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const bulk = new Bulk({
    target,
    source,
    interval,
    maxLineBytes,
    signal: interrupted.signal,
    onInvalid: (line, error) => tell(`line ${line}: ${describe(error)}`),
  });
  {
    using _ = flags.quiet ? undefined : showProgress(() => progressLine(bulk.progress));
    await bulk.run();
  }
  process.off('SIGINT', stop).off('SIGTERM', stop);
  return summarize(bulk, interrupted.signal.aborted, flags);
}

function summarize({ progress }: Bulk, interrupted: boolean, flags: OutputFlags): number {
  const { published, invalid, empty, elapsed, lastLine } = progress;
  const seconds = Math.round(elapsed) / 1_000;
  if (interrupted) say(`worker: interrupted after line ${lastLine}`, flags);
  if (flags.json) printJson({ published, invalid, empty, seconds, lastLine, interrupted });
  else
    print(
      `${published} published, ${invalid} invalid${empty ? `, ${empty} empty lines` : ''}, in ${seconds} s (${perSecond(published, elapsed)}/s)`,
    );
  return invalid > 0 || interrupted ? EXIT.failed : EXIT.done;
}
