import { InvalidOptionError, UnsupportedByBrokerError } from '@warren/core';
import type { Capabilities, ConsumerOptions, HandlerInfo, Queue } from '@warren/core';

export interface PrefetchOptions {
  /** Unsettled deliveries at a time for each consumer (`basic.qos`, not global). A handler's own `prefetch` wins. 0 is no limit. */
  prefetch?: number;
  /** The same for each channel (`global`): not on RabbitMQ 4.3 and later, nor on quorum queues. */
  channelPrefetch?: number;
}

/** AMQP 0-9-1, section 1.8.3.1: a short. */
const MAX = 65_535;

/** Picks and checks the prefetch options. Throws `ERR_INVALID_OPTION`. */
export function prefetchOf({ prefetch, channelPrefetch }: PrefetchOptions): PrefetchOptions {
  for (const [option, got] of Object.entries({ prefetch, channelPrefetch })) {
    if (got === undefined || (Number.isSafeInteger(got) && got >= 0 && got <= MAX)) continue;
    throw new InvalidOptionError({ option, expected: `a whole number from 0 to ${MAX}`, got });
  }
  return { ...(prefetch !== undefined && { prefetch }), ...(channelPrefetch !== undefined && { channelPrefetch }) };
}

/** Writes the plugin's prefetch into the consumers of the handlers' queues. */
export class Prefetch {
  readonly #options: PrefetchOptions;
  readonly #queues = new Map<ConsumerOptions, Queue>();
  readonly #widest = new Map<ConsumerOptions, number>();

  constructor(options: PrefetchOptions) {
    this.#options = options;
  }

  /** Of a queue's handlers the largest prefetch counts. */
  apply({ job, options, consumer }: HandlerInfo): void {
    const { prefetch, channelPrefetch } = this.#options;
    this.#queues.set(consumer, job.queue);
    if (channelPrefetch !== undefined) consumer.channelPrefetch = channelPrefetch;
    if (prefetch === undefined) return;
    const wanted = options.prefetch ?? prefetch;
    const before = this.#widest.get(consumer) ?? wanted;
    const widest = before === 0 || wanted === 0 ? 0 : Math.max(before, wanted);
    this.#widest.set(consumer, widest);
    consumer.prefetch = widest;
  }

  /** Throws `ERR_UNSUPPORTED_BY_BROKER` where the broker would ignore the channel's prefetch, or close the connection because of it. */
  check({ channelPrefetch: supported, version }: Capabilities): void {
    if (!this.#options.channelPrefetch) return;
    if (!supported)
      throw new UnsupportedByBrokerError({
        feature: 'channelPrefetch (global QoS)',
        version,
        instead: 'prefetch, which counts per consumer, or a rate limit',
      });
    for (const { name, arguments: args } of this.#queues.values()) {
      if (args['x-queue-type'] !== 'quorum') continue;
      const feature = `channelPrefetch (global QoS) on the quorum queue "${name}"`;
      throw new UnsupportedByBrokerError({
        feature,
        version,
        instead: "prefetch, which counts per consumer, or a queue of type 'classic'",
      });
    }
  }
}
