import { bar, perSecond } from '../progress.js';

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

export function progressLine({ published, invalid, bytes, totalBytes, elapsed }: Progress): string {
  return `${bar(bytes, totalBytes)}${published} published  ${perSecond(published, elapsed)}/s  ${invalid} invalid`;
}
