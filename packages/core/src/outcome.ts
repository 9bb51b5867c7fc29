/** How a job ends. Made by the constants and functions below; a handler that returns anything else has succeeded. */
export type Outcome = Ack | Retry | Requeue | DeadLetter;

export interface Ack {
  readonly kind: 'ack';
  /** What the handler returned, for plugins that store results; core has no use for it. */
  readonly result?: unknown;
}

export interface Retry {
  readonly kind: 'retry';
  /** Milliseconds; without it the handler's retry policy decides. */
  readonly delay?: number;
  readonly error?: unknown;
  /** The retry policy has been asked, and `delay` is what it said: `decided` makes these. */
  readonly decided?: true;
}

export interface Requeue {
  readonly kind: 'requeue';
  /** Milliseconds to stay away. Needs a plugin that delays; without one the job returns at once. */
  readonly delay?: number;
}

export interface DeadLetter {
  readonly kind: 'deadLetter';
  readonly error: unknown;
}

/** Outcomes are told from handlers' results by a brand that two copies of core in one process share. */
const BRAND: unique symbol = Symbol.for('@warren:outcome') as never;

function brand<O extends Outcome>(outcome: O): O {
  Object.defineProperty(outcome, BRAND, { value: true });
  return Object.freeze(outcome);
}

/** Done. */
export const ack: Ack = brand({ kind: 'ack' });

/** Back to its place in the queue, uncharged: not a failure, the attempt stays the same. */
export const requeue: Requeue = brand({ kind: 'requeue' });

/** Back to the queue in `delay` milliseconds, uncharged. */
export function postpone(delay: number): Requeue {
  return brand({ kind: 'requeue', delay });
}

/** Failed: run again as the next attempt, after `delay` milliseconds or what the handler's retry policy says. Past its last attempt it is dead-lettered. */
export function retry(options: Omit<Retry, 'kind'> = {}): Retry {
  return brand({ kind: 'retry', ...options });
}

/** Failed for good: to the dead-letter queue, with `error`'s name, message and stack in its headers. */
export function deadLetter(error: unknown): DeadLetter {
  return brand({ kind: 'deadLetter', error });
}

/** Succeeded with a result. */
export function done(result: unknown): Ack {
  return result === undefined ? ack : brand({ kind: 'ack', result });
}

export function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && BRAND in value;
}

const KINDS: ReadonlySet<unknown> = new Set<Outcome['kind']>(['ack', 'retry', 'requeue', 'deadLetter']);

/** Whether a plugin's layer has returned an outcome: what handlers return is told from it by now, so that the shape is enough. */
export function hasOutcomeKind(returned: unknown): returned is Outcome {
  return KINDS.has((returned as Outcome | null | undefined)?.kind);
}
