// INT and TERM: the first one drains, a second INT abandons. A repeated TERM is ignored, for orchestrators repeat it.

export interface SignalHandlers {
  readonly drain: (signal: NodeJS.Signals) => void;
  /** `signal` is the one that began the stop. */
  readonly abandon: (signal: NodeJS.Signals) => void;
}

/** Milliseconds. npm and npx pass on the Ctrl-C that the terminal has sent to the whole process group already: one press, two signals. */
const SAME_PRESS = 250;

/** Returns what takes the handlers off again. */
export function onStopSignals({ drain, abandon }: SignalHandlers): () => void {
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  const on = (signal: NodeJS.Signals): void => {
    if (!first) {
      first = { signal, at: performance.now() };
      drain(signal);
    } else if (signal === 'SIGINT' && performance.now() - first.at > SAME_PRESS) {
      abandon(first.signal);
    }
  };
  process.on('SIGINT', on);
  process.on('SIGTERM', on);
  return () => {
    process.off('SIGINT', on);
    process.off('SIGTERM', on);
  };
}
