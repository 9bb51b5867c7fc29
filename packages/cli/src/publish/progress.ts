/** What is known of a bulk publish while it runs. */
export interface Progress {
  readonly published: number;
  readonly invalid: number;
  /** Read of the source so far. */
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  /** Milliseconds since the start. */
  readonly elapsed: number;
}

const WIDTH = 20;

/** Milliseconds between two looks: at a bar, and at a line in a log. */
const BAR_EVERY = 100;
const LINE_EVERY = 5_000;

/** Shows progress on stderr until disposed: a bar on a terminal, else a line every five seconds. */
export function showProgress(current: () => Progress): Disposable {
  const { isTTY } = process.stderr;
  const draw = (): void =>
    void process.stderr.write(isTTY ? `\r\u001B[K${progressLine(current())}` : `${progressLine(current())}\n`);
  const timer = setInterval(draw, isTTY ? BAR_EVERY : LINE_EVERY);
  timer.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      if (isTTY) process.stderr.write('\r\u001B[K');
    },
  };
}

export function progressLine({ published, invalid, bytes, totalBytes, elapsed }: Progress): string {
  const rate = Math.round(published / Math.max(elapsed / 1_000, 0.001));
  return `${bar(bytes, totalBytes)}${published} published  ${rate}/s  ${invalid} invalid`;
}

function bar(bytes: number, totalBytes: number | undefined): string {
  if (!totalBytes) return '';
  const share = Math.min(1, bytes / totalBytes);
  const full = Math.round(share * WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${Math.floor(share * 100)} %  `;
}
