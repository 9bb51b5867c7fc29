// @warren/plugin-delay: messages that arrive later, by TTL and dead letters. How it works: docs/delays.md.
import { CLOCK, CONNECTION, EVENTS, TOPOLOGY } from '@warren/core';
import type { DependencyContainer, Duration, HandlerInfo, Plugin, Publish } from '@warren/core';
import { requireTarget } from './address.js';
import type { Target } from './address.js';
import { bindTarget, declareDelays, delayTopology } from './delay-topology.js';
import { hold } from './hold.js';
import { settingsOf } from './options.js';
import type { DelayOptions } from './options.js';
import { Targets } from './targets.js';

export { addressOf } from './address.js';
export type { Target } from './address.js';
export { delayTopology, UNROUTABLE } from './delay-topology.js';
export type { DelayTopology, LevelQueue } from './delay-topology.js';
export * from './errors.js';
export { digitsOf, MAX_DELAY } from './levels.js';
export type { DelayOptions } from './options.js';

declare module '@warren/core' {
  interface PublishOptions {
    /** Milliseconds to hold the message, or text such as `'10m'`; at most 999 days 23:59:59.999. */
    delay?: Duration;
    /** When the message is to arrive, in place of `delay`; a moment in the past is now. */
    at?: Date;
  }
}

/** Holds messages that have a `delay` or an `at`, retries included. Never early, durable, and none waits for another. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export default function delay(options?: DelayOptions): Plugin {
  const settings = settingsOf(options);
  return {
    name: 'delay',
    publishOptions: ['delay', 'at'],
    topology: (topology) => declareDelays(topology, settings),
    consume(next, { job }: HandlerInfo, container) {
      const target: Target = { kind: 'queue', name: job.queue.name };
      requireTarget(target);
      bindTarget(container.resolve(TOPOLOGY), target, settings);
      return next;
    },
    publish: (next, container) => holding(next, container, settings),
  };
}

function holding(next: Publish, container: DependencyContainer, options: Required<DelayOptions>): Publish {
  const targets = new Targets({ connection: container.resolve(CONNECTION), topology: container.resolve(TOPOLOGY), options });
  container.resolve(EVENTS).on('connected', () => targets.forget());
  return hold(next, { names: delayTopology(options), clock: container.resolve(CLOCK), reach: (target) => targets.reach(target) });
}
