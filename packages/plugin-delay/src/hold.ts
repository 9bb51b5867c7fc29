// The publish layer: a delayed message goes to its first level instead of where it was published to.
import { HEADERS, withoutJourney } from '@warren/core';
import type { Clock, Headers, Message, Publish } from '@warren/core';
import { addressOf, requireRoutingKey, requireTarget } from './address.js';
import type { Target } from './address.js';
import type { DelayTopology } from './delay-topology.js';
import { delayOf } from './due.js';
import { digitsOf, hopsOf, withinHops } from './levels.js';

export interface HoldParts {
  readonly names: DelayTopology;
  readonly clock: Clock;
  /** Resolves when messages for `target` can be delivered. */
  readonly reach: (target: Target) => Promise<void>;
}

export function hold(next: Publish, parts: HoldParts): Publish {
  return (message) => (isDelayed(message) ? publishHeld(next, message, parts) : next(message));
}

function isDelayed({ options: { delay, at } }: Message): boolean {
  return delay !== undefined || at !== undefined;
}

async function publishHeld(next: Publish, message: Message, { names, clock, reach }: HoldParts): Promise<void> {
  const now = clock.now();
  const ms = delayOf(message.options, now);
  if (ms === 0) return next(undelayed(message));
  const target = targetOf(message);
  const due = clock.monotonic() + ms;
  const hops = hopsOf(ms);
  await reach(target);
  const marks = { [HEADERS.delayDue]: now + ms, [HEADERS.delayMs]: ms };
  // What has passed until it is sent, in a queue of messages or in an outage, is not waited for once more; a round delay stays one hop.
  const atSending = (sent: Message): Message => {
    const rest = withinHops(Math.max(0, Math.ceil(due - clock.monotonic())), hops);
    return addressed(withMarks(sent, marks), digitsOf(rest), { names, target });
  };
  return next({ ...atSending(undelayed(message)), atSending });
}

/**
 * On its way to `target`: the application's routing key stays and travels with the address, which is in CC (rabbitmq.com/docs/sender-selected).
 * It begins at the first level that has something to wait for: those before it would only pass the message on.
 */
function addressed(
  message: Message,
  digits: readonly number[],
  { names, target }: { names: DelayTopology; target: Target },
): Message {
  const { properties } = message;
  const exchange = names.levels[digits.findIndex((digit) => digit > 0)] ?? names.deliver;
  return {
    ...message,
    exchange,
    properties: { ...properties, headers: { ...properties.headers, CC: [addressOf(digits, target)] } },
  };
}

function targetOf({ exchange, routingKey }: Message): Target {
  const target: Target = exchange === '' ? { kind: 'queue', name: routingKey } : { kind: 'exchange', name: exchange };
  requireTarget(target);
  requireRoutingKey(routingKey);
  return target;
}

/**
 * What the message was, in headers: an `expiration` would cut the wait short. A copied journey would be taken for a cycle, and the message
 * dropped.
 */
function withMarks(message: Message, marks: Headers): Message {
  const { expiration, ...properties } = message.properties;
  const origin = { [HEADERS.exchange]: message.exchange, [HEADERS.routingKey]: message.routingKey };
  const headers = {
    ...origin,
    ...withoutJourney(properties.headers),
    ...(expiration !== undefined && { [HEADERS.expiration]: expiration }),
    ...marks,
  };
  return { ...message, properties: { ...properties, headers } };
}

function undelayed(message: Message): Message {
  const { delay: _delay, at: _at, ...options } = message.options;
  return { ...message, options };
}
