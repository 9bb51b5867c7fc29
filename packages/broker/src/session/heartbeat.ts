/** What a heartbeat watches. */
export interface Beating {
  readonly input: { readonly received: number };
  readonly output: { readonly sent: number; heartbeat(): void };
  /** The peer's silence is not its fault: nothing is being read from it. */
  readonly paused: () => boolean;
  /** Ends a peer that says nothing any more. */
  readonly abort: () => void;
}

/**
 * Sends a heartbeat when nothing else was sent for half the interval, and gives a peer up after two silent intervals
 * (specification 4.2.7; https://www.rabbitmq.com/docs/heartbeats). Returns what stops it.
 */
export function startHeartbeat(seconds: number, { input, output, paused, abort }: Beating): () => void {
  if (seconds === 0) return () => {};
  let [received, sent] = [input.received, output.sent];
  let silentTicks = 0;
  const timer = setInterval(() => {
    if (output.sent === sent) output.heartbeat();
    silentTicks = input.received === received && !paused() ? silentTicks + 1 : 0;
    [received, sent] = [input.received, output.sent];
    // Two intervals are four ticks; one more, because a tick may come just after the last octet.
    if (silentTicks > 4) abort();
  }, seconds * 500);
  return () => clearInterval(timer);
}
