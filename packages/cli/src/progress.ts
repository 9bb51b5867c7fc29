// Progress of what takes long, on stderr.

const WIDTH = 20;

/** Milliseconds between two looks: at a bar, and at a line in a log. */
const BAR_EVERY = 100;
const LINE_EVERY = 5_000;

/** Goes back to the start of a terminal's line, and clears it. */
const CLEAR = '\r\u001B[K';

/** Shows what `line` returns until disposed: anew in its place on a terminal, else a line every five seconds. */
export function showProgress(line: () => string): Disposable {
  const { isTTY } = process.stderr;
  const draw = (): void => void process.stderr.write(isTTY ? `${CLEAR}${line()}` : `${line()}\n`);
  const timer = setInterval(draw, isTTY ? BAR_EVERY : LINE_EVERY);
  timer.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      if (isTTY) process.stderr.write(CLEAR);
    },
  };
}

/** A line of talk that stays, over the progress, where there is one. */
export function tell(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? CLEAR : ''}${text}\n`);
}

/** How much of `total` is done; nothing where the total is not known. */
export function bar(done: number, total: number | undefined): string {
  if (!total) return '';
  const share = Math.min(1, done / total);
  const full = Math.round(share * WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${Math.floor(share * 100)} %  `;
}

/** Of so many in so many milliseconds, those of one second. */
export function perSecond(count: number, elapsed: number): number {
  return Math.round(count / Math.max(elapsed / 1_000, 0.001));
}
