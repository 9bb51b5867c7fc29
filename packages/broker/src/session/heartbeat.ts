/** What a heartbeat watches. */
export interface Beating {
  readonly octetsSent: number;
  readonly octetsReceived: number;
  /** The peer's silence is not its fault: nothing is being read from it. */
  readonly paused: boolean;
  beat(): void;
  /** Ends a peer that says nothing any more. */
  abort(): void;
}

/**
 * Sends a heartbeat when nothing else was sent for half the interval, and gives a peer up after two silent intervals
 * (specification 4.2.7; https://www.rabbitmq.com/docs/heartbeats). Returns what stops it.
 */
export function startHeartbeat(seconds: number, peer: Beating): () => void {
  if (seconds === 0) return () => {};
  let { octetsSent, octetsReceived } = peer;
  let silentTicks = 0;
  const timer = setInterval(() => {
    if (peer.octetsSent === octetsSent) peer.beat();
    silentTicks = peer.octetsReceived === octetsReceived && !peer.paused ? silentTicks + 1 : 0;
    ({ octetsSent, octetsReceived } = peer);
    // Two intervals are four ticks; one more, because a tick may come just after the last octet.
    if (silentTicks > 4) peer.abort();
  }, seconds * 500);
  return () => clearInterval(timer);
}
