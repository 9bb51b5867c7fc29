// Where a delayed message goes is written in one of its routing keys: its digits steer it through the levels, the words
// behind them from the last level to its target.
import { DelayTargetError } from './errors.js';
import { LEVELS } from './levels.js';

/** Who gets a message when its time has come: a queue, or whatever an exchange routes it to. */
export interface Target {
  readonly kind: 'queue' | 'exchange';
  readonly name: string;
}

/** The first word of every address, so that an application's own routing key matches no level's pattern. */
export const SENTINEL = '~d';

/** A routing key has at most 255 bytes (AMQP 0-9-1, section 4.2.5.3); the longest digits take 26 of them with their dots. */
const MAX_TARGET_BYTES = 255 - 26;

/** The routing key that leads a message through the levels of `digits` to `target`. */
export function addressOf(digits: readonly number[], target: Target): string {
  return `${SENTINEL}.${digits.join('.')}.${wordsOf(target)}`;
}

/** What the delivering exchange matches to find `target`, whatever the digits were. */
export function patternOf(target: Target): string {
  return `${SENTINEL}.${'*.'.repeat(LEVELS.length)}${wordsOf(target)}`;
}

/** Throws `ERR_DELAY_TARGET` for a name that cannot stand in an address. */
export function requireTarget(target: Target): void {
  const { kind, name } = target;
  const bytes = Buffer.byteLength(wordsOf(target));
  if (bytes > MAX_TARGET_BYTES) {
    throw new DelayTargetError({
      what: kind,
      expected: `a name of ${MAX_TARGET_BYTES - 2} bytes or less (it takes ${bytes - 2} here)`,
      got: name,
    });
  }
  // Its name is also the routing key of every retry.
  if (kind === 'queue') requireRoutingKey(name, kind);
  if (kind === 'queue' && name.split('.').some((word) => word === '*' || word === '#')) {
    throw new DelayTargetError({ what: kind, expected: 'a name without the words * and #, which match other queues', got: name });
  }
}

/** Throws `ERR_DELAY_TARGET` for a routing key that would steer a message itself. */
export function requireRoutingKey(routingKey: string, what = 'routing key'): void {
  if (routingKey.split('.', 1)[0] !== SENTINEL) return;
  const expected = `a first word other than ${SENTINEL}, which steers delayed messages`;
  throw new DelayTargetError({ what, expected, got: routingKey });
}

/**
 * An exchange gets the address among the message's routing keys, so its bindings are matched with it. With a mark before each word of its
 * name no word of an application's patterns is met: `#.orders.#` matches nothing in `~d.0.….x.~orders`.
 */
function wordsOf({ kind, name }: Target): string {
  if (kind === 'queue') return `q.${name}`;
  return `x.${name
    .split('.')
    .map((word) => `~${word}`)
    .join('.')}`;
}
